import Testing

@testable import LiveScreen

@Suite struct KeyTests {
    @Test(arguments: [
        ("q", [Key.character(0x71)]), ("\n", [.enter]), ("\r", [.enter]), ("\u{1b}", [.escape]),
        ("\u{1b}[A\u{1b}[B", [.up, .down]), ("\u{1b}OA", [.up]), ("\u{1b}[5~\u{1b}[6~", [.pageUp, .pageDown]),
        ("\u{1b}[H\u{1b}[1~\u{1b}[7~", [.home, .home, .home]), ("\u{1b}OF\u{1b}[4~\u{1b}[8~", [.end, .end, .end]),
        ("\u{1b}[1;5Dq", [.character(0x71)]), ("\u{1b}\u{1b}[A", [.escape, .up]), ("\u{1b}[", []), ("\u{1b}[12", []),
        ("", []),
        ("a\t\u{7f}", [.character(0x61), .character(0x09), .character(0x7f)]),
    ]) func sequencesAreKeys(typed: String, keys: [Key]) {
        #expect(Key.keys(in: Array(typed.utf8)) == keys)
    }

    /// Whatever is typed, no key is invented: there are at most as many as bytes.
    @Test func anyBytesAreRead() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                #expect(Key.keys(in: [0x1b, first, second]).count <= 3)
            }
        }
    }
}
