import Flow
import Testing

@Suite struct ResumeRequestTests {
    static let id = "0123456789abcdef0123456789abcdef"

    @Test(arguments: [
        ("; after=0", 0), (";after=7", 7), (" ;\t after=0042", 42),
        ("; after=999999999999999999", 999_999_999_999_999_999),
    ]) func readsTheIdAndTheNumber(rest: String, received: Int) throws {
        let stream = try #require(StreamId(Self.id))
        #expect(ResumeRequest(Self.id + rest) == ResumeRequest(stream: stream, received: received))
    }

    @Test(arguments: [
        "", ";", id, id + ";", id + "; after=", id + "; after=-1", id + "; after=+1", id + "; after=1x",
        id + "; after= 1", id + "; after =1", id + "; After=1", id + "; after=1; after=2", id + "; after=1 2",
        id + "; after=1234567890123456789", id + "; after=١", "; after=1", id.uppercased() + "; after=1",
        id.dropLast() + "; after=1", id + "0; after=1", "\"" + id + "\"; after=1",
    ]) func takesNothingElse(text: String) {
        #expect(ResumeRequest(text) == nil)
    }
}
