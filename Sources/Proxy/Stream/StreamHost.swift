import Downstream
import Flow
import Logging
import NIOCore
import Upstream

/// What a stream needs of its event loop.
protocol StreamHost: AnyObject {
    var timers: LoopTimers { get }
    var requestLog: RequestLog { get }
    /// The process's own log.
    var process: Logger { get }
    /// The value of `Date`.
    var dateText: String { get }
    /// Whether the process stops: then nothing can be fetched later.
    var isDraining: Bool { get }

    var eventLoop: any EventLoop { get }
    /// The limits over all replicas; `nil` if there are none.
    var replicas: Replicas? { get }

    /// Writes what was queued outside of a turn.
    func turnEnded()

    /// Reads the monotonic clock.
    func now() -> Instant

    func metrics(of route: ProxyRoute) -> RouteMetrics

    /// Makes a request to an upstream ready.
    ///
    /// - Throws: If there is no memory for it.
    func makeTransfer(
        for request: StreamRequest, at upstream: RouteUpstream, body: RequestBody?, delegate: any TransferDelegate
    ) throws -> any UpstreamTransfer

    /// Joins the streams that share a request to the upstream, which is made if there is none.
    ///
    /// - Parameters:
    ///   - request: The stream's.
    ///   - key: What they have in common.
    ///   - join: Where the stream asks to begin.
    ///   - id: The stream's.
    ///   - delegate: Gets the response.
    /// - Returns: The stream's part of it.
    /// - Throws: Why it does not share, or why no request can be made.
    func joinPull(
        for request: StreamRequest, by key: SharingKey, at join: JoinRequest, as id: StreamId,
        delegate: any SharedTransferDelegate
    ) throws(JoinError) -> any UpstreamTransfer

    /// What the ceilings of the whole process permit of the negotiated terms.
    ///
    /// - Throws: `proxyFull`.
    func granted(_ terms: Terms) throws(AdmissionError) -> Terms

    /// The path at which the stream with this id can be requested; `nil` if streams have no addresses.
    ///
    /// By the present configuration, which serves the requests to come.
    func location(of id: StreamId) -> String?

    /// Gives a stream its own address; a second call changes nothing.
    func register(_ stream: Stream)

    /// A stream has no client, which can find it by this key until ``hasClient(_:by:)`` or the end.
    func lostClient(_ stream: Stream, by key: ResumptionKey)

    /// The stream has a client again.
    func hasClient(_ stream: Stream, by key: ResumptionKey)

    /// The stream is over; it has expired if its client did not come for it in time.
    func ended(_ stream: Stream, hasExpired: Bool)

    /// Ends a detached stream whose slot another stream of its client has, on any loop.
    func endDisplaced(_ id: StreamId)

    /// A stream holds that many bytes more, or fewer.
    func bufferChanged(by change: Int)
}
