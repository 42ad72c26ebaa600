import Downstream
import Flow

/// Receives the requests that ``RequestPipeline`` does not respond to itself.
protocol RequestDestination: AnyObject {
    /// Streams that are open on the loop.
    var openStreams: Int { get }

    /// A request at or below `paths.health`.
    func answerHealth(_ request: Request, client: String, response: any ClientResponse) throws(Problem)

    /// A request for the address of a stream.
    func serve(
        _ target: StreamsAddress.Target, _ request: Request, body: RequestBody, client: String,
        writer: any ConnectionResponse
    ) throws(Problem)

    /// A request for the rest of a stream.
    func resume(_ resume: ResumeRequest, for request: StreamRequest, writer: any ConnectionResponse) throws(Problem)

    /// A request for what follows an event in one of these streams, which its client has lost.
    ///
    /// - Parameters:
    ///   - event: The id of the event.
    ///   - streams: The streams; the first one that has sent the event is continued.
    ///   - request: The request.
    ///   - writer: Receives the response.
    ///   - otherwise: Called, perhaps later, if none of them can be continued.
    func resume(
        after event: RecordKey, oneOf streams: [StreamId], for request: StreamRequest,
        writer: any ConnectionResponse, otherwise: @escaping () -> Void)

    /// An admitted request.
    ///
    /// - Parameters:
    ///   - request: The request with the granted terms.
    ///   - permit: Owned by the stream until its end.
    ///   - wouldRefuse: The refusal by a limit of the process in a dry run; `nil` if there is none.
    ///   - writer: Receives the response.
    ///   - now: The time.
    func start(
        _ request: StreamRequest, with permit: consuming Permit, wouldRefuse: AdmissionError?,
        writer: any ConnectionResponse, at now: Instant)

    /// A request that was not admitted, and whose client prefers a later answer (RFC 7240, section 4.1).
    ///
    /// - Returns: Whether a response was promised; if not, the request is to be rejected.
    func promise(
        _ request: StreamRequest, refusedFor error: AdmissionError, writer: any ConnectionResponse, at now: Instant
    ) -> Bool
}
