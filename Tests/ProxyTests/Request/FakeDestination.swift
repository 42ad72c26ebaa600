import Flow

@testable import Downstream
@testable import Proxy

/// Records what the pipeline passes on.
final class FakeDestination: RequestDestination {
    var openStreams = 0
    var promises = false
    /// Whether the streams that a request names by an event cannot be resumed.
    var resumesNothing = false
    /// Called by the test if those of the last request cannot be resumed, as another loop finds out later.
    private(set) var otherwise: (() -> Void)?
    private(set) var calls: [String] = []
    private(set) var started: StreamRequest?
    private(set) var wouldRefuse: [AdmissionError] = []
    var permit: Permit?

    func answerHealth(_ request: Request, client: String, response: any ClientResponse) throws(Problem) {
        calls.append("health")
    }

    func serve(
        _ target: StreamsAddress.Target, _ request: Request, body: RequestBody, client: String,
        writer: any ConnectionResponse
    ) throws(Problem) {
        calls.append("address")
        if target == .nothing { throw .noSuchStream }
    }

    func resume(_ resume: ResumeRequest, for request: StreamRequest, writer: any ConnectionResponse) throws(Problem) {
        calls.append("resume after \(resume.received)")
    }

    func resume(
        after event: RecordKey, oneOf streams: [StreamId], for request: StreamRequest,
        writer: any ConnectionResponse, otherwise: @escaping () -> Void
    ) {
        calls.append("resume one of \(streams.count)")
        if resumesNothing { otherwise() } else { self.otherwise = otherwise }
    }

    func start(
        _ request: StreamRequest, with permit: consuming Permit, wouldRefuse: AdmissionError?,
        writer: any ConnectionResponse, at now: Instant
    ) {
        calls.append("start")
        started = request
        if let wouldRefuse { self.wouldRefuse.append(wouldRefuse) }
        self.permit = consume permit
    }

    func promise(
        _ request: StreamRequest, refusedFor error: AdmissionError, writer: any ConnectionResponse, at now: Instant
    ) -> Bool {
        calls.append("promise")
        return promises
    }
}
