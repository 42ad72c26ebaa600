import Flow
import Testing

@Suite struct RecordFormatContentTypeTests {
    @Test(arguments: [
        ("application/x-ndjson", RecordFormat.ndjson), ("application/ndjson", .ndjson), ("application/jsonl", .ndjson),
        ("application/x-jsonlines", .ndjson), ("application/jsonlines", .ndjson), ("application/json-lines", .ndjson),
        ("application/stream+json", .ndjson), ("application/x-json-stream", .ndjson), ("text/x-ndjson", .ndjson),
        ("application/vnd.acme.order+ndjson", .ndjson), ("Application/Vnd.Acme+NDJSON; v=1", .ndjson),
        ("application/json;stream=watch", .ndjson), ("application/json; charset=utf-8 ; Stream=\"watch\"", .ndjson),
        ("application/json-seq", .jsonSequence), ("application/geo+json-seq", .jsonSequence),
        ("text/event-stream", .sse), ("Application/X-NDJSON", .ndjson), ("text/event-stream; charset=utf-8", .sse),
        (" application/x-ndjson\t;a=\"b;c\"", .ndjson),
    ])
    func aContentTypeMakesAStream(contentType: String, format: RecordFormat) {
        #expect(RecordFormat(contentType: contentType[...]) == format)
    }

    @Test(arguments: [
        "", "application/json", "application/x-ndjson2", "xapplication/x-ndjson", "text/plain",
        "application/x-ndjson, text/plain", "text/html;a=application/x-ndjson", "application /x-ndjson", "+ndjson",
        "application/ndjson+json", "text/plain;a=b+ndjson", "application/json;stream=list", "application/json;stream",
        "application/json;a=\";stream=watch\"", "text/plain;stream=watch", "application/json;upstream=watch",
    ])
    func anythingElseIsNoStream(contentType: String) {
        #expect(RecordFormat(contentType: contentType[...]) == nil)
    }

    @Test func aRouteAddsTypes() {
        var types = StreamTypes()
        types.ndjson = ["application/vnd.acme+lines"]
        types.sse = ["application/x-events"]
        types.jsonSequence = ["application/x-ndjson"]
        #expect(types.format(ofContentType: "Application/Vnd.Acme+Lines; v=2") == .ndjson)
        #expect(types.format(ofContentType: " application/x-events") == .sse)
        #expect(types.format(ofContentType: "application/x-ndjson") == .jsonSequence, "the route's own come first")
        #expect(types.format(ofContentType: "text/event-stream") == .sse)
        #expect(types.format(ofContentType: "application/vnd.acme") == nil)
    }
}
