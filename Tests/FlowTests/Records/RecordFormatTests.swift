import Flow
import Testing

@Suite struct RecordFormatTests {
    @Test func aNoticeIsOneRecordOfItsFormat() throws {
        for format in RecordFormat.allCases {
            let notice = Array(format.notice(#"{"status":200}"#).utf8)
            let run = try notice.withUnsafeBytes { try format.framer.run(in: $0, maximum: .kibibytes(1)) }
            #expect(run == .init(records: 1, bytes: notice.count))
        }
    }

    @Test func eachFormsNotice() {
        #expect(RecordFormat.ndjson.notice("{}") == "{}\n")
        #expect(RecordFormat.sse.notice("{}") == "event: stream-notice\ndata: {}\n\n")
        #expect(RecordFormat.jsonSequence.notice("{}") == "\u{1E}{}\n")
    }
}
