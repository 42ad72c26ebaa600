import Flow
import TestSupport
import Testing

@testable import JSONPointer

@Suite struct JSONPointerTests {
    private func key(_ pointer: String, _ record: some Collection<UInt8>) throws -> RecordKey? {
        let pointer = try #require(JSONPointer(pointer))
        return withOwnMemory(of: record) { pointer.key(of: $0) }
    }

    private func key(_ pointer: String, _ record: String) throws -> RecordKey? { try key(pointer, record.utf8) }

    @Test(arguments: ["/", "/a", "/a/b", "/a~0b", "/a~1b", "/0/1", "//", "/ä"]) func takesAPointer(text: String) {
        #expect(JSONPointer(text)?.text == text)
    }

    @Test(arguments: ["", "a", "a/b", "#/a", "/~", "/a~", "/~2", "/~/a", String(repeating: "/a", count: 513)])
    func takesNothingElse(text: String) {
        #expect(JSONPointer(text) == nil)
    }

    @Test(arguments: [
        ("/id", #"{"id":7}"#), ("/id", #" { "other" : [1,{"id":8}] , "id" : 7 } "#), ("/o/id", #"{"o":{"id":7}}"#),
        ("/list/1", #"{"list":[1,7]}"#), ("/1", "[1,7]"), ("/a~1b", #"{"a/b":7}"#), ("/a~0b", #"{"a~b":7}"#),
        ("/", #"{"":7}"#), ("/ä", #"{"ä":7}"#), ("/id", "{\"id\":7\r\n}\r\n"),
    ]) func findsTheValue(pointer: String, record: String) throws {
        let found = try key(pointer, record + "\n")
        #expect(found != nil)
        #expect(try found == key("/k", #"{"k":7}"#))
    }

    @Test(arguments: [
        (#"{"a":"x\u0041"}"#, "xA"), (#"{"a":-1.50}"#, "-1.50"), (#"{"a":null}"#, "null"), (#"{"a":""}"#, ""),
        (#"{"a":{}}"#, nil), ("{}", nil), ("", nil), ("<html>", nil),
    ]) func readsTheText(text: String, expected: String?) throws {
        let pointer = try #require(JSONPointer("/a"))
        let found = withOwnMemory(of: text.utf8) { pointer.text(in: $0) }
        #expect(found == expected)
    }

    @Test(arguments: [
        ("/id", "{}"), ("/id", #"{"id":{}}"#), ("/id", #"{"id":[1]}"#), ("/id", "7"), ("/id", "[7]"), ("/2", "[1,7]"),
        ("/-", "[1,7]"), ("/01", "[1,7]"), ("/id/x", #"{"id":7}"#), ("/id", ""), ("/id", "\n"), ("/id", "plain text"),
        ("/id", #"{"id":7"#), ("/id", #"{"id":}"#), ("/id", #"{"id":nulL}"#), ("/id", #"{"id":tru}"#),
        ("/id", #"{"id":7x}"#), ("/id", #"{"id":"\x"}"#), ("/id", #"{"id":"a}"#), ("/id", #"{id:7}"#),
    ]) func hasNoKey(pointer: String, record: String) throws {
        #expect(try key(pointer, record + "\n") == nil)
    }

    private func weight(_ pointer: String, _ record: String) throws -> Int? {
        let pointer = try #require(JSONPointer(pointer))
        return withOwnMemory(of: record.utf8) { pointer.weight(of: $0) }
    }

    @Test(arguments: [
        ("/n", #"{"n":0}"#, 0), ("/n", #"{"n": 7 }"#, 7), ("/n", #"{"n":999999999}"#, 999_999_999),
        ("/usage/completion_tokens", #"{"usage":{"prompt_tokens":1,"completion_tokens":42}}"#, 42),
        ("/list/0/n", #"{"list":[{"n":3}]}"#, 3), ("/n", "\n\n{\"n\":5}\r\n\n", 5),
    ]) func aWeightIsAWholeNumber(pointer: String, record: String, weight: Int) throws {
        #expect(try self.weight(pointer, record) == weight)
    }

    @Test(arguments: [
        "-1", "-0", "1.0", "1e2", "1E0", "1000000000", "9223372036854775807", "9223372036854775808",
        "18446744073709551616",
        "1e999", #""5""#, "null", "true", "{}", "[5]", "05", "+5", "5x", "", "NaN", "0x5",
    ]) func anyOtherValueIsNoWeight(value: String) throws {
        #expect(try weight("/n", "{\"n\":\(value)}\n") == nil)
    }

    @Test(arguments: ["", "\n", "{}", "5", "[DONE]", "{\"n\":5", "{n:5}", "\u{FEFF}", "{\"n\":{\"n\":5}}"])
    func aTextWithoutTheNumberHasNoWeight(text: String) throws {
        #expect(try weight("/n", text) == nil)
    }

    @Test func deepTextsHaveNoWeightAndLeaveTheNextItsOwn() throws {
        for open in ["[", "{\"n\":", "[{\"n\":"] {
            let deep = String(repeating: open, count: 100_000)
            #expect(try weight("/n", deep) == nil)
            #expect(try weight("/n", #"{"n":5}"#) == 5)
        }
    }

    @Test func equalStringsAreOneKeyHoweverTheyAreEscaped() throws {
        let plain = try key("/k", #"{"k":"a/b"}"#)
        #expect(plain != nil)
        #expect(try key("/k", #"{"k":"\u0061\/b"}"#) == plain)
    }

    @Test func differentValuesAreDifferentKeys() throws {
        let values = [
            "1", "1.0", #""1""#, "true", #""true""#, "null", #""null""#, #""""#, "-1", #""\u0000""#,
            "\"" + String(repeating: "x", count: 1000) + "\"", "\"" + String(repeating: "x", count: 1001) + "\"",
        ]
        let keys = try values.map { try #require(try key("/k", "{\"k\":\($0)}")) }
        #expect(Set(keys).count == values.count)
    }

    @Test func everyPrefixOfARecordIsNoJSON() throws {
        let record = Array(#"{"a":[1,{"b":"\u00e4\n"}],"o":{"id":"x\"y"},"id":"key","z":-1.5e3}"#.utf8)
        #expect(try key("/id", record) != nil)
        for length in record.indices { #expect(try key("/id", record[..<length]) == nil, "\(length) bytes") }
    }

    @Test func bytesThatAreNoTextAreNoKey() throws {
        #expect(try key("/id", [0]) == nil)
        #expect(try key("/id", Array("{\"id\":\"a".utf8) + [0] + Array("b\"}".utf8)) == nil)
        #expect(try key("/id", Array("{\"id\":\"a".utf8) + [0xFF, 0xC3] + Array("b\"}".utf8)) == nil)
        #expect(try key("/id", Array("{\"x\":\"".utf8) + [0xED, 0xA0, 0x80] + Array("\",\"id\":1}".utf8)) == nil)
    }

    @Test func aHundredThousandBracketsAreNoKeyAndNoCrash() throws {
        for open in ["[", "{\"id\":", "[{\"id\":"] {
            let deep = String(repeating: open, count: 100_000)
            #expect(try key("/id", deep + "\n") == nil)
            #expect(try key("/0/0/id/id", deep + "\n") == nil)
        }
        let closed = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(try key("/0/0", closed) == nil)
    }

    @Test func aRecordOfAnyLengthLeavesTheNextItsKey() throws {
        let small = try key("/id", #"{"id":1}"#)
        for length in [1000, 63 * 1024, 64 * 1024, 300_000, 10] {
            let long = #"{"x":""# + String(repeating: "y", count: length) + #"","id":1}"#
            #expect(try key("/id", long) == small)
        }
    }

    @Test func aBrokenRecordLeavesTheNextItsKey() throws {
        let record = Array(#"{"a":[1,{"b":"\u00e4\n"}],"o":{"id":"x"},"id":"key","z":-1.5e3}"#.utf8)
        let whole = try key("/id", record)
        #expect(whole != nil)
        for place in record.indices {
            for byte in Array("\"\\{}[],:1 \n".utf8) + [0, 0x80, 0xFF] {
                var broken = record
                broken[place] = byte
                _ = try key("/id", broken)
                #expect(try key("/id", record) == whole)
            }
        }
    }
}
