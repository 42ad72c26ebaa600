import Flow
import Testing

@Suite struct ProblemTests {
    private let base = "https://example.com/problems"

    @Test func theSeedsExampleComesOutMemberForMember() throws {
        let problem = Problem(.tooManyStarts(rate: try .of("10/s"), retryAfter: .milliseconds(4001)))
        #expect(
            problem.json(base: base)
                == #"{"type":"https://example.com/problems/rate-limit","title":"Rate Limit Exceeded","status":429,"#
                + #""detail":"Stream rate limit of 10/second exceeded","retryAfter":5}"#)
    }

    @Test func theInstanceComesLastAndASlashIsNotDoubled() {
        var problem = Problem.badUpstream(.reset)
        problem.instance = "a\"b"
        #expect(
            problem.json(base: "urn:x/")
                == #"{"type":"urn:x/bad-upstream","title":"Bad Upstream","status":502,"#
                + #""detail":"The upstream ended the connection before its answer was complete","instance":"a\"b"}"#)
    }

    static let admission: [(AdmissionError, Int, String, Int)] = [
        (.tooManyStreamsOfClient(limit: 10), 429, "too-many-streams", 1),
        (.tooManyStreamsOfRoute(limit: 1000), 429, "too-many-streams", 1),
        (.upstreamBusy(limit: 7), 503, "unavailable", 1),
        (.clientBreakerOpen(.init(state: .open, retryAfter: .seconds(30))), 429, "slow-consumer", 30),
        (.upstreamBreakerOpen(.init(state: .halfOpen, retryAfter: .seconds(1))), 503, "unavailable", 1),
        (.upstreamDown(retryAfter: .seconds(5)), 503, "unavailable", 5),
        (.proxyFull(retryAfter: .milliseconds(2500)), 503, "unavailable", 3),
    ]

    @Test(arguments: admission)
    func anAdmissionErrorHasItsStatusAndType(error: AdmissionError, status: Int, type: String, retryAfter: Int) {
        let problem = Problem(error)
        #expect(problem.status == status)
        #expect(problem.typeSuffix == type)
        #expect(problem.retryAfter == retryAfter)
    }

    @Test func theLimitThatIsReachedIsNamed() {
        #expect(Problem(.tooManyStreamsOfClient(limit: 12)).detail.contains("12"))
        #expect(Problem(.tooManyStreamsOfRoute(limit: 34)).detail.contains("34"))
        #expect(Problem(.upstreamBusy(limit: 56)).detail.contains("56"))
        #expect(Problem.badUpstream(.recordTooLarge(limit: .kibibytes(256))).detail.contains("262144"))
    }

    @Test func aSpentQuotaIsARateLimitThatNamesIt() {
        let quota = RecordQuota(records: 100_000, per: .day)
        let problem = Problem(.recordQuotaSpent(quota: quota, retryAfter: .seconds(4000)))
        #expect(problem.kind == .rateLimit && problem.status == 429 && problem.retryAfter == 4000)
        #expect(problem.detail == "This client has used its quota of 100000/day")
    }

    @Test func aSpentBudgetIsARateLimitThatNamesIt() throws {
        let problem = Problem(.recordBudgetSpent(rate: try .of("1000/s"), retryAfter: .milliseconds(16)))
        #expect(problem.status == 429)
        #expect(problem.typeSuffix == "rate-limit")
        #expect(problem.retryAfter == 1)
        #expect(problem.detail.contains("1000/second"))
    }

    @Test func aBreakersProblemReportsItsState() {
        let open = Problem(.clientBreakerOpen(.init(state: .open, retryAfter: .seconds(30))))
        #expect(open.json(base: base).contains(#""retryAfter":30,"breaker":"open"}"#))
        let halfOpen = Problem(.upstreamBreakerOpen(.init(state: .halfOpen, retryAfter: .seconds(1))))
        #expect(halfOpen.json(base: base).contains(#""retryAfter":1,"breaker":"half-open"}"#))
        #expect(!Problem(.upstreamBusy(limit: 1)).json(base: base).contains("breaker"))
    }

    @Test func aNoticeOfADropReportsTheNumberOfLostRecords() {
        #expect(
            Problem.recordsDropped(17).json(base: base)
                == #"{"type":"https://example.com/problems/records-dropped","title":"Records Dropped","status":200,"#
                + #""detail":"Records were dropped because this client is behind","records":17}"#)
    }

    @Test func aNoticeOfAFailureMayHaveARetryAfter() {
        var problem = Problem(.badUpstream, status: 502, detail: "x", retryAfter: .seconds(2))
        problem.records = 3
        #expect(problem.json(base: base).hasSuffix(#""status":502,"detail":"x","retryAfter":2,"records":3}"#))
    }

    @Test func aStreamThatIsGoneReportsWhereItCanBeResumed() {
        #expect(Problem.gone(resumableFrom: 51).json(base: base).hasSuffix(#","from":51}"#))
        #expect(Problem.gone().detail == "The stream has expired")
        #expect(Problem.gone(resumableFrom: 51).detail == "Not all of the missing records are still buffered")
        #expect(!Problem.gone().json(base: base).contains(",\"from\":"))
    }

    @Test func aNegotiationErrorNamesTheHeader() {
        let malformed = Problem(.malformed(header: "X-Stream-Rate-Limit", reason: "must not be sent more than once"))
        #expect(malformed.status == 400)
        #expect(malformed.typeSuffix == "invalid-request")
        #expect(malformed.detail == "X-Stream-Rate-Limit must not be sent more than once")
        #expect(malformed.retryAfter == nil)
        let tooMuch = Problem(.aboveMaximum(header: "X-Stream-Buffer-Size", maximum: "1000"))
        #expect(tooMuch.status == 429)
        #expect(tooMuch.typeSuffix == "rate-limit")
        #expect(tooMuch.detail == "X-Stream-Buffer-Size asks for more than the maximum of 1000")
        #expect(tooMuch.retryAfter == 1)
    }

    static let others: [(Problem, Int, String)] = [
        (.gone(), 410, "gone"), (.recordsDropped(1), 200, "records-dropped"),
        (.notFound, 404, "not-found"), (.noSuchStream, 404, "not-found"),
        (.malformedRequest, 400, "invalid-request"), (.invalidRequest("rate is no rate"), 400, "invalid-request"),
        (Problem(.unauthorized, status: 401, detail: ""), 401, "unauthorized"),
        (Problem(.forbidden, status: 403, detail: ""), 403, "forbidden"),
        (.requestTimeout, 408, "request-timeout"),
        (.bodyOfHeadNotImplemented, 501, "not-implemented"),
        (.headersTooLarge(limit: .kibibytes(32)), 431, "too-large"),
        (.bodyTooLarge(limit: .kibibytes(1)), 413, "too-large"),
        (.badUpstream(.unresolved), 502, "bad-upstream"), (.badUpstream(.refused), 502, "bad-upstream"),
        (.badUpstream(.untrusted), 502, "bad-upstream"), (.badUpstream(.reset), 502, "bad-upstream"),
        (.badUpstream(.malformed), 502, "bad-upstream"),
        (.badUpstream(.recordTooLarge(limit: .zero)), 502, "bad-upstream"),
        (.upstreamTimeout(.connect), 504, "upstream-timeout"), (.upstreamTimeout(.firstByte), 504, "upstream-timeout"),
    ]

    @Test(arguments: others)
    func everyOtherProblemHasTheContractsStatusAndType(problem: Problem, status: Int, type: String) {
        #expect(problem.status == status)
        #expect(problem.typeSuffix == type)
        #expect(problem.retryAfter == nil)
    }

    static let waits: [(Problem, Int, String, Int)] = [
        (.slowConsumer(.init(state: .open, retryAfter: .milliseconds(29_001))), 429, "slow-consumer", 30),
        (.unavailable(.draining), 503, "unavailable", 1), (.unavailable(.loopSilent), 503, "unavailable", 1),
        (.unavailable(.proxyFull(retryAfter: .zero)), 503, "unavailable", 1),
        (.unavailable(.upstreamBreakerOpen(.init(state: .open, retryAfter: .seconds(10)))), 503, "unavailable", 10),
    ]

    @Test(arguments: waits)
    func aRefusalThatEndsByWaitingHasARetryAfter(problem: Problem, status: Int, type: String, retryAfter: Int) {
        #expect(problem.status == status)
        #expect(problem.typeSuffix == type)
        #expect(problem.retryAfter == retryAfter)
    }

    @Test func a429WithoutRetryAfterCannotBeMade() async {
        await #expect(processExitsWith: .failure) { _ = Problem(.rateLimit, status: 429, detail: "") }
    }
}
