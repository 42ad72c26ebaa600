import Flow
import Testing

@testable import Proxy

@Suite struct FeedbackBodyTests {
    private func read(_ json: String) throws -> Feedback { try FeedbackBody(Array(json.utf8)).feedback }

    private func error(_ json: String) -> FeedbackError? { error(Array(json.utf8)) }

    private func error(_ bytes: [UInt8]) -> FeedbackError? {
        do throws(FeedbackError) {
            _ = try FeedbackBody(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func readsEachMemberAlone() throws {
        #expect(try read(#"{"processingDelay":"250ms"}"#) == Feedback(processingDelay: .milliseconds(250)))
        #expect(try read(#"{"rate":"5/second"}"#) == Feedback(rate: Pace("5/second")))
        #expect(try read(#"{"bufferSize":50}"#) == Feedback(bufferSize: 50))
        #expect(try read(#"{"pause":true}"#) == Feedback(isPaused: true))
        #expect(try read(#"{"pause":false}"#) == Feedback(isPaused: false))
        #expect(try read(#"{"request":100}"#) == Feedback(request: 100))
    }

    @Test func readsAllMembersInAnyOrderAndWithAnySpace() throws {
        let text = """
             { "request" : 9007199254740992 ,"pause":false,\r\n\t"bufferSize":999999999,
            "r\\u0061te":"unlimited", "processingDelay":"1h"}\u{20}
            """
        #expect(
            try read(text)
                == Feedback(
                    processingDelay: .seconds(3600), rate: .unlimited, bufferSize: 999_999_999, isPaused: false,
                    request: 1 << 53))
    }

    @Test(arguments: [("2.50/m", "2.5/minute"), ("0.33333333333/sec", "0.333333/second"), ("1/h", "1/hour")])
    func readsARateAsTheHeaderDoes(written: String, read: String) throws {
        #expect(try self.read("{\"rate\":\"\(written)\"}").rate?.text == read)
    }

    @Test(arguments: [("0s", 0), ("1ms", 1), ("5s", 5000), ("1m", 60_000), ("60m", 3_600_000)])
    func readsADelayAsTheConfigurationDoes(written: String, milliseconds: Int) throws {
        #expect(try read("{\"processingDelay\":\"\(written)\"}").processingDelay == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", " ", "{", "}", "null", "true", "5", "\"pause\"", "[]", "[{\"pause\":true}]", "{\"pause\":true",
        "{pause:true}",
        "{\"pause\":true,}", "{\"pause\":true, \n}", "{,}", "{,\"pause\":true}", "{\"pause\":true,,}", "{'pause':true}",
        "{\"pause\":true}{}", "{\"pause\":true} x", "{\"pause\" true}",
        "{\"pause\":\u{0}true}", "{\"pause\":true}\u{0}", "// pause\n{\"pause\":true}",
    ])
    func refusesWhatIsNoObject(text: String) { #expect(error(text) == .malformed) }

    @Test func refusesWhatIsNotUTF8() {
        #expect(error(Array(#"{"rate":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)) == .malformed)
        #expect(error(Array(#"{"rate":""#.utf8) + [0xED, 0xA0, 0x80] + Array(#""}"#.utf8)) == .malformed)
        for isBigEndian in [true, false] {
            let units = Array(#"{"pause":true}"#.utf16).flatMap { unit in
                isBigEndian ? [UInt8(unit >> 8), UInt8(unit & 0xFF)] : [UInt8(unit & 0xFF), UInt8(unit >> 8)]
            }
            #expect(error(units) == .malformed)
            #expect(error((isBigEndian ? [0xFE, 0xFF] : [0xFF, 0xFE]) + units) == .malformed)
        }
    }

    @Test func refusesAnEmptyObject() { #expect(error("{ }") == .empty) }

    @Test(arguments: [
        #"{"pause":true,"pause":false}"#, #"{"rate":"5/s","bufferSize":5,"rate":"5/s"}"#,
        #"{"request":1,"re\u0071uest":2}"#,
    ])
    func refusesAMemberThatIsWrittenTwice(text: String) { #expect(error(text) == .repeated) }

    @Test func namesAMemberThatIsNotKnown() {
        #expect(error(#"{"bufersize":5,"pause":true}"#) == .unknown("bufersize"))
        #expect(error(#"{"Pause":true}"#) == .unknown("Pause"))
        #expect(error(#"{"b":{"c":[]},"a":1}"#) == .unknown("a"))
    }

    @Test(arguments: ["", "<script>", "a b", "a\\nb", "\u{1B}[2J", "ä", "\\u202Ea", String(repeating: "a", count: 41)])
    func doesNotShowANameThatIsNoPlainWord(name: String) {
        let error = error("{\"\(name)\":1}")
        // A control character has no place in JSON's strings.
        #expect(error == (name.hasPrefix("\u{1B}") ? .malformed : .unknown(nil)))
    }

    @Test(arguments: [
        (
            FeedbackBody.Member.processingDelay,
            ["5", "null", "\"\"", "\"5\"", "\"1.5s\"", "\"-1s\"", "\"61m\"", "\"2h\""]
        ),
        (.processingDelay, ["\"3600001ms\"", "\"99999999999999999999s\"", "\" 5s\"", "{}", "[\"5s\"]", "true"]),
        (
            .rate,
            ["5", "null", "\"\"", "\"0/s\"", "\"-1/s\"", "\"1e3/s\"", "\"Unlimited\"", "\" 5/s\"", "\"5/d\"", "[]"]
        ),
        (.bufferSize, ["0", "-1", "1000000000", "1.5", "1e999", "\"5\"", "true", "null", "{}", "[5]", "1e-400"]),
        (.bufferSize, [String(repeating: "9", count: 2000), "99999999999999999999", "-9223372036854775808"]),
        (.pause, ["0", "1", "\"true\"", "null", "{}", "[]"]),
        (.request, ["0", "-5", "9007199254740993", "18446744073709551616", "0.5", "\"5\"", "false", "null", "{}"]),
    ])
    func namesAMemberWhoseValueIsNotAllowed(member: FeedbackBody.Member, values: [String]) {
        for value in values { #expect(error("{\"\(member.rawValue)\":\(value)}") == .invalid(member), "\(value)") }
    }

    @Test(arguments: ["01", "+1", "0x10", "1.", ".5", "NaN", "Infinity", "-", "tru", "1 2"])
    func refusesWhatIsNoNumberOfJSON(value: String) { #expect(error("{\"request\":\(value)}") != nil) }

    @Test func wholeNumbersMayBeWrittenAsFractions() throws {
        #expect(try read(#"{"bufferSize":50.0,"request":5e1}"#) == Feedback(bufferSize: 50, request: 50))
    }

    @Test func survivesADocumentThatIsNestedDeeply() {
        for opening in ["[", "{\"a\":", "{\"pause\":["] {
            let deep = String(repeating: opening, count: FeedbackBody.maximumBytes.bytes / opening.utf8.count)
            #expect(error(deep) == .malformed)
        }
        let closed = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        #expect(error("{\"pause\":\(closed)}") == .invalid(.pause))
    }

    @Test func refusesABodyThatIsTooLong() throws {
        let space = String(repeating: " ", count: FeedbackBody.maximumBytes.bytes - 14)
        #expect(try read("{\"pause\":true}" + space) == Feedback(isPaused: true))
        #expect(error("{\"pause\":true} " + space) == .tooLarge(limit: FeedbackBody.maximumBytes))
    }

    /// Every cut and every changed byte of a body gives a feedback or an error, and never ends the process.
    @Test(arguments: 0..<50) func bearsWhateverComes(seed: Int) {
        let body = Array(#"{"processingDelay":"250ms","rate":"5/s","bufferSize":50,"pause":true,"request":1e2}"#.utf8)
        var state = UInt64(seed) &+ 1
        var refused = 0
        for _ in 0..<100 {
            var bytes = body
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 24)
            }
            refused += error(bytes) == nil ? 0 : 1
        }
        #expect(refused > 50)
        for end in body.indices { #expect(error(Array(body[..<end])) == .malformed) }
    }

    @Test func isAProblemThatNamesTheAllowedValues() {
        #expect(Problem(FeedbackError.malformed) == .invalidRequest("The body must be a JSON object in UTF-8"))
        #expect(Problem(FeedbackError.tooLarge(limit: .kibibytes(4))).status == 413)
        #expect(
            Problem(FeedbackError.unknown("bufersize")).detail
                == "The member bufersize is not known; known are processingDelay, rate, bufferSize, pause, request")
        #expect(Problem(FeedbackError.invalid(.pause)).detail == "pause must be true or false")
        for member in FeedbackBody.Member.allCases {
            let problem = Problem(FeedbackError.invalid(member))
            #expect(problem.status == 400 && problem.detail.hasPrefix(member.rawValue + " must be "))
        }
        for error in [FeedbackError.empty, .repeated, .unknown(nil)] { #expect(Problem(error).status == 400) }
    }
}
