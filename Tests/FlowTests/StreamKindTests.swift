import Flow
import Testing

@Suite struct StreamKindTests {
    @Test(arguments: [
        ("application/x-ndjson", RecordFormat.ndjson), ("application/ndjson", .ndjson), ("application/jsonl", .ndjson),
        ("application/x-jsonlines", .ndjson), ("application/json-seq", .jsonSequence), ("text/event-stream", .sse),
        ("Application/X-NDJSON", .ndjson), ("text/event-stream; charset=utf-8", .sse),
        (" application/x-ndjson\t;a=\"b;c\"", .ndjson),
    ])
    func aContentTypeMakesAStream(contentType: String, format: RecordFormat) {
        #expect(Framing.auto.recordFormat(status: 200, contentType: contentType, hasBody: true) == format)
    }

    @Test(arguments: [
        nil, "", "application/json", "application/x-ndjson2", "xapplication/x-ndjson", "text/plain",
        "application/x-ndjson, text/plain", "text/html;a=application/x-ndjson", "application /x-ndjson",
    ])
    func anythingElseIsNoStream(contentType: String?) {
        #expect(Framing.auto.recordFormat(status: 200, contentType: contentType, hasBody: true) == nil)
    }

    @Test func onlyASuccessfulResponseWithABodyIsAStream() {
        for framing in Framing.allCases {
            for status in [100, 199, 300, 304, 404, 500] {
                #expect(framing.recordFormat(status: status, contentType: "application/ndjson", hasBody: true) == nil)
            }
            #expect(framing.recordFormat(status: 200, contentType: "application/ndjson", hasBody: false) == nil)
        }
        #expect(Framing.auto.recordFormat(status: 299, contentType: "application/ndjson", hasBody: true) == .ndjson)
    }

    @Test func aNamedFramingIsStrongerThanTheContentType() {
        let formats = Framing.allCases.map {
            $0.recordFormat(status: 201, contentType: "text/plain", hasBody: true)
        }
        #expect(Framing.allCases == [.auto, .ndjson, .sse, .jsonSequence, .none])
        #expect(formats == [nil, .ndjson, .sse, .jsonSequence, nil])
        #expect(Framing.none.recordFormat(status: 200, contentType: "application/ndjson", hasBody: true) == nil)
    }
}
