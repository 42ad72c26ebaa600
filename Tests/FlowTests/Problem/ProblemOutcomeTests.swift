import Flow
import Testing

struct ProblemOutcomeTests {
    @Test(
        "An outcome that is a fault implies a kind of problem, any other none",
        arguments: [
            (Outcome.slowConsumer, Problem.Kind.slowConsumer), (.upstreamFailed, .badUpstream),
            (.upstreamTimeout, .upstreamTimeout), (.completed, nil), (.clientGone, nil), (.cancelled, nil),
            (.drained, nil), (.refused, nil),
        ] as [(Outcome, Problem.Kind?)])
    func implied(_ outcome: Outcome, _ kind: Problem.Kind?) {
        #expect(Problem.Kind(of: outcome, after: nil) == kind)
        #expect(Problem.Kind(of: outcome, after: .unavailable(.draining)) == Problem.unavailable(.draining).kind)
    }
}
