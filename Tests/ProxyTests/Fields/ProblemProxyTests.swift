import Downstream
import Flow
import Testing
import Upstream

@testable import Proxy

@Suite struct ProblemProxyTests {
    /// The contract's table: 502 for an upstream that is refused, reset or malformed, 504 for one that is late.
    @Test func anUpstreamsErrorIsABadGatewayOrALateOne() {
        #expect(Problem(UpstreamError.unreachable("")).status == 502)
        #expect(Problem(UpstreamError.reset("")).status == 502)
        #expect(Problem(UpstreamError.malformed("")).status == 502)
        #expect(Problem(UpstreamError.connectTimeout).status == 504)
        #expect(Problem.badUpstream(RecordFramer.Failure.recordTooLarge(limit: .kibibytes(1))).status == 502)
    }

    @Test func theErrorTextOfAnUpstreamIsNotReported() {
        let secret = "10.1.2.3 port 9000"
        for error in [UpstreamError.unreachable(secret), .reset(secret), .malformed(secret)] {
            #expect(!Problem(error).json(base: "https://example.com").contains(secret))
        }
    }

    @Test func aFaultIsTheClients() {
        let limits = ConnectionLimits(maximumHeaderBytes: .kibibytes(32))
        #expect(Problem(RequestFault.malformed, limits: limits).status == 400)
        #expect(Problem(RequestFault.headTooLarge, limits: limits).status == 431)
        #expect(Problem(RequestFault.headTooSlow, limits: limits).status == 408)
    }

    @Test func aWrongMethodIsAnsweredWithTheAllowedOnes() {
        let problem = Problem.methodNotAllowed("GET, HEAD")
        #expect((problem.status, problem.allowed) == (405, "GET, HEAD"))
        #expect(!problem.json(base: "https://example.com").contains("allowed"))
        #expect(Problem.cannotResume.allowed == nil)
    }

    @Test func onlyALateUpstreamTimesOut() {
        #expect(Outcome(UpstreamError.connectTimeout) == .upstreamTimeout)
        for error in [UpstreamError.unreachable(""), .reset(""), .malformed("")] {
            #expect(Outcome(error) == .upstreamFailed)
        }
    }

    /// RFC 9110, section 15.5.6.
    @Test func aMethodThatIsNotAllowedIsAnsweredWithAllow() {
        let problem = Problem.methodNotAllowed("GET, HEAD")
        #expect(problem.status == 405)
        #expect(problem.allowed == "GET, HEAD")
    }
}
