import Flow
import Testing

/// RFC 9209.
@Suite struct ProxyStatusTests {
    @Test func namesTheErrorOfAnUpstream() {
        #expect(
            Problem.badUpstream(.refused).proxyStatus(by: "edge")
                == #"edge; error=connection_refused; details="The upstream refused the connection""#)
        #expect(Problem.upstreamTimeout(.connect).proxyStatus(by: "e").hasPrefix("e; error=connection_timeout;"))
        #expect(Problem.upstreamTimeout(.firstByte).proxyStatus(by: "e").hasPrefix("e; error=http_response_timeout;"))
    }

    @Test func namesTheErrorOfARefusal() {
        #expect(Problem.notFound.proxyStatus(by: "e").hasPrefix("e; error=destination_not_found;"))
        #expect(Problem.unavailable(.draining).proxyStatus(by: "e").hasPrefix("e; error=destination_unavailable;"))
    }

    /// RFC 10036, section 4.2, for streams, which are forwarded as they arrive.
    @Test(arguments: [AdmissionError.tooManyStreamsOfClient(limit: 3), .tooManyStreamsOfRoute(limit: 3)])
    func namesALimitOfOpenStreams(refusal: AdmissionError) {
        let problem = Problem(refusal)
        #expect(problem.status == 429)
        #expect(problem.proxyStatus(by: "e").hasPrefix("e; error=connection_limit_reached;"))
    }

    /// RFC 9651, section 3.3.3: a quoted string has no unescaped quote and no control character.
    @Test func theDetailsAreOneString() {
        let field = Problem.invalidRequest(#"a "b" \c é"#).proxyStatus(by: "e")
        #expect(field == #"e; error=http_request_error; details="a b c ""#)
    }
}
