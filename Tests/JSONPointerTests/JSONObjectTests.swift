import Testing

@testable import JSONPointer

@Suite struct JSONObjectTests {
    private func values(_ text: String) -> [JSONObject.Value]? {
        JSONObject(Array(text.utf8))?.members.map(\.value)
    }

    @Test func readsEachKindOfValue() {
        #expect(
            values(#"{"a":"x\u0041\n","b":-5,"c":1.5,"d":5e1,"e":true,"f":false}"#)
                == [.string("xA\n"), .integer(-5), .double(1.5), .double(50), .boolean(true), .boolean(false)])
        #expect(values(#"{"a":null,"b":[1,{"c":"d"}],"c":{"d":[]},"d":1e999}"#) == Array(repeating: .other, count: 4))
        #expect(values(" {\t}\r\n") == [])
    }

    @Test func keepsTheOrderAndEqualNames() throws {
        let object = try #require(JSONObject(Array(#"{"b":1,"a":2,"\u0062":3}"#.utf8)))
        #expect(object.members.map(\.name) == ["b", "a", "b"])
        #expect(object.members.map(\.value) == [.integer(1), .integer(2), .integer(3)])
    }

    @Test(arguments: [
        "", " ", "[]", "1", "{", "}", "{]", "{\"a\":1", "{\"a\":1,}", "{\"a\" 1}", "{\"a\":}", "{a:1}", "{\"a\":tru}",
        "{\"a\":nul}", "{\"a\":nulll}", "{\"a\":1 2}", "{\"a\":1}{}", "{\"a\":1}\u{0}", "{\"a\":\"\u{1}\"}",
        "{\"a\":\"\\x\"}", "{\"a\":\"\\ud800\"}", "{\"a\":[1,]}", "{\"a\":[1}", "{\"a\":{\"b\":1,}}", "{\"a\":[tru]}",
    ]) func refusesWhatIsNotOneObject(text: String) { #expect(values(text) == nil) }

    @Test func refusesEachPrefix() {
        let text = Array(#"{"a":"ä","b":[1,{"c":null}],"d":-1.5e3,"e":true}"#.utf8)
        #expect(JSONObject(text) != nil)
        for end in text.indices { #expect(JSONObject(Array(text[..<end])) == nil) }
    }

    @Test func boundsTheDepth() {
        func nested(_ depth: Int) -> String {
            "{\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(values(nested(512)) == [.other])
        #expect(values(nested(513)) == nil)
        #expect(values(nested(100_000)) == nil)
    }
}
