import Flow
import Testing

@Suite struct JSONTextTests {
    private func written(_ write: (inout JSONText) -> Void) -> String {
        var json = JSONText()
        write(&json)
        return String(decoding: json.closed(), as: UTF8.self)
    }

    @Test func keepsTheOrderOfItsMembers() {
        let text = written {
            $0.add("z", 1)
            $0.add("a", "b")
            $0.addNull("m")
            $0.add("t", true)
            $0.add("f", false)
        }
        #expect(text == #"{"z":1,"a":"b","m":null,"t":true,"f":false}"#)
        #expect(written { _ in } == "{}")
    }

    @Test func anArrayHoldsItsStringsInOrder() {
        let text = written {
            $0.add("none", [String]())
            $0.add("two", ["a\"", "b"])
        }
        #expect(text == #"{"none":[],"two":["a\"","b"]}"#)
    }

    @Test(arguments: [
        ("", #""""#), ("plain", #""plain""#), ("a\"b", #""a\"b""#), (#"a\b"#, #""a\\b""#), ("\n", #""\n""#),
        ("\r\n\t", #""\r\n\t""#), ("\0", #""\u0000""#), ("\u{1f}x", #""\u001fx""#), ("\u{1b}[31m", #""\u001b[31m""#),
        ("\u{7f}", #""\u007f""#), ("äöü €", #""äöü €""#), ("👩‍👩‍👧", #""👩‍👩‍👧""#), ("/", #""/""#), ("a\nb\nc", #""a\nb\nc""#),
        ("\u{fffd}", #""\#u{fffd}""#), ("\u{80}\u{9f}\u{a0}", "\"\\u0080\\u009f\u{a0}\""),
        ("a\u{2027}\u{2028}\u{2029}\u{202e}\u{202f}", "\"a\u{2027}\\u2028\\u2029\\u202e\u{202f}\""),
        ("\u{2065}\u{2066}\u{2069}\u{206a}b", "\"\u{2065}\\u2066\\u2069\u{206a}b\""),
    ])
    func escapesWhatAStringMayNotHold(value: String, text: String) {
        #expect(written { $0.add("v", value) } == "{\"v\":\(text)}")
        #expect(written { $0.add(value, 1) } == "{\(text):1}")
    }

    @Test(arguments: [
        (0.0, "0.0"), (-1.5, "-1.5"), (1e300, "1e+300"), (0.1, "0.1"), (.infinity, "null"), (-.infinity, "null"),
        (.nan, "null"),
    ])
    func writesNumbersThatJSONHas(value: Double, text: String) {
        #expect(written { $0.add("v", value) } == "{\"v\":\(text)}")
    }

    @Test func writesTheLargestIntegers() {
        #expect(written { $0.add("v", Int.max) } == #"{"v":9223372036854775807}"#)
        #expect(written { $0.add("v", Int.min) } == #"{"v":-9223372036854775808}"#)
    }

    static let seconds: [(Duration, String)] = [
        (.zero, "0.0"), (.seconds(3), "3.0"), (.milliseconds(1500), "1.5"), (.microseconds(7), "0.000007"),
        (.nanoseconds(1999), "0.000001"), (.milliseconds(-250), "-0.25"), (.seconds(86400), "86400.0"),
        (.microseconds(100_200), "0.1002"), (.nanoseconds(Int64.min), "-9223372036.854775"),
    ]

    @Test(arguments: seconds)
    func writesADurationInSeconds(duration: Duration, text: String) {
        #expect(written { $0.add("v", seconds: duration) } == "{\"v\":\(text)}")
    }
}
