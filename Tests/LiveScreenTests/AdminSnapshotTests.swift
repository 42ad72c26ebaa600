import Testing

@testable import LiveScreen

@Suite struct AdminSnapshotTests {
    @Test func aSnapshotIsReadWithMembersItDoesNotKnow() throws {
        let snapshot = try SnapshotText.busy.read()
        #expect(snapshot.routes.map(\.refusals) == [304, 4, 0])
        #expect(snapshot.breakers.map(\.name) == ["10.0.0.7", "http://127.0.0.1:3000"])
        #expect(snapshot.slowest.first?.paused == 245)
    }

    @Test(arguments: ["", "null", "[]", "{}", #"{"time":"now"}"#, "<!doctype html>"])
    func whatIsNoSnapshotIsNone(text: String) { #expect(AdminSnapshot(json: Array(text.utf8)) == nil) }

    /// Every cut of a snapshot is none, and costs nothing but the attempt.
    @Test func aTornSnapshotIsNone() {
        let whole = Array(SnapshotText.busy.json.utf8)
        for length in stride(from: 0, to: whole.count, by: 7) {
            #expect(AdminSnapshot(json: Array(whole.prefix(length))) == nil)
        }
    }
}
