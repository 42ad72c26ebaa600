import Downstream
import Flow

/// Where ``RequestPipeline`` passes a request that it does not answer itself.
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

    /// An admitted request.
    ///
    /// - Parameters:
    ///   - request: With the terms as they are granted.
    ///   - permit: The stream's until its end.
    ///   - wouldRefuse: What a limit of the process in a dry run would have refused it for; `nil` if nothing.
    ///   - writer: Where the response goes.
    ///   - now: The time.
    func start(
        _ request: StreamRequest, with permit: consuming Permit, wouldRefuse: AdmissionError?,
        writer: any ConnectionResponse, at now: Instant)

    /// A request that was not admitted, and whose client prefers a later answer (RFC 7240, section 4.1).
    ///
    /// - Returns: Whether it was promised one; if not, the request is to be refused.
    func promise(
        _ request: StreamRequest, refusedFor error: AdmissionError, writer: any ConnectionResponse, at now: Instant
    ) -> Bool
}
