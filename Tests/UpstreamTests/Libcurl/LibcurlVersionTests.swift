import Testing

@testable import Upstream

@Suite struct LibcurlVersionTests {
    @Test(arguments: [0, 0x07_58_01, 0x08_0D_00, 0x08_0D_FF] as [UInt32])
    func anOlderOneIsRefusedInOneSentence(number: UInt32) throws {
        let refusal = try #require(LibcurlVersion.refusal(of: number, name: "libcurl/7.88.1"))
        #expect(refusal.hasPrefix("libcurl 8.14 or newer is needed, and this is libcurl/7.88.1"))
        #expect(!refusal.contains("\n"))
    }

    @Test(arguments: [0x08_0E_00, 0x08_0E_01, 0x08_13_00, 0x09_00_00] as [UInt32])
    func othersAreNot(number: UInt32) { #expect(LibcurlVersion.refusal(of: number, name: "libcurl") == nil) }

    @Test func theOneThatTheTestsRunOnIsNot() { #expect(LibcurlVersion.refusal == nil) }
}
