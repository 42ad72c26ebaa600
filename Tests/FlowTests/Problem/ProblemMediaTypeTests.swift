import Flow
import Testing

@Suite struct ProblemMediaTypeTests {
    @Test(arguments: [
        "application/problem+json", "Application/Problem+JSON", "application/problem+json;q=0.1",
        "application/x-ndjson, application/problem+json", "text/html;q=0,\tapplication/problem+json ; q=1",
        "application/problem+json;charset=utf-8;q=0.001", ",, application/problem+json",
        #"a/b;x="\",q=0", application/problem+json"#, #"application/problem+json;x="q=0;q=0""#,
    ])
    func problemJSONIsSentIfItIsAccepted(accept: String) {
        #expect(ProblemMediaType(accept: accept) == .problemJSON)
    }

    @Test(arguments: [
        nil, "", "*/*", "application/*", "application/json", "application/problem+jsonx", "xapplication/problem+json",
        "application/problem+json;q=0", "application/problem+json; Q=0.000", "application/problem+json;a=b;q=0.",
        #"a/b;x="application/problem+json""#, #"a/b;x=", application/problem+json,""#, "application/problem+json q=1",
    ])
    func everyOtherClientGetsJSON(accept: String?) {
        #expect(ProblemMediaType(accept: accept) == .json)
    }
}
