import Downstream
import Flow
import NIOCore
import NIOHTTP1

/// Requests that name a stream by its id: its address, its feedback, its resumption.
///
/// They may arrive on any connection and any event loop; they are handled on the stream's loop.
struct StreamsAPI {
    let host: any StreamsHost

    func serve(
        _ target: StreamsAddress.Target, _ request: Request, body: RequestBody, client: String,
        writer: any ConnectionResponse
    ) throws(Problem) {
        switch (target, request.head.method) {
        case (.stream(let id), .GET), (.stream(let id), .HEAD):
            try reach(id, for: request, client: client, writer: writer) { $0.look($1) }
        case (.stream(let id), .DELETE):
            try reach(id, for: request, client: client, writer: writer) { $0.cancel($1) }
        case (.feedback(let id), .POST):
            body.collect(upTo: FeedbackBody.maximumBytes, within: host.served.connectionLimits.headerTime) { result in
                do throws(Problem) {
                    let feedback = try FeedbackBody.feedback(in: result)
                    try reach(id, for: request, client: client, writer: writer) { $0.apply(feedback, to: $1) }
                } catch {
                    host.requestLog.refuse(request, with: error, client: client, route: nil, response: writer)
                }
            }
        case (.stream, _): throw .methodNotAllowed("GET, HEAD, DELETE")
        case (.feedback, _): throw .methodNotAllowed("POST")
        case (.nothing, _): throw .noSuchStream
        }
    }

    /// A client resumes its stream.
    func resume(_ resume: ResumeRequest, for request: StreamRequest, writer: any ConnectionResponse) throws(Problem) {
        let route = request.route.name, method = request.request.head.method
        try reach(resume.stream, for: request.request, client: request.client, writer: writer) { access, stream in
            // A response to another method may have no body (HEAD), or another one.
            guard let stream, stream.route.name == route, stream.request.request.head.method == method
            else { return access.refuse(with: .cannotResume, route: route) }
            if let problem = stream.resume(after: resume.received, access.response) {
                access.refuse(with: problem, route: route)
            }
        }
    }

    /// A client continues after an event in the first of some streams that has sent it.
    ///
    /// - Parameters: See ``RequestDestination/resume(after:oneOf:for:writer:otherwise:)``.
    func resume(
        after event: RecordKey, oneOf streams: ArraySlice<StreamId>, for request: StreamRequest,
        writer: any ConnectionResponse, otherwise: @escaping () -> Void
    ) {
        guard let id = streams.first else { return otherwise() }
        let next = {
            resume(after: event, oneOf: streams.dropFirst(), for: request, writer: writer, otherwise: otherwise)
        }
        switch host.registry.place(of: id) {
        case .unknown, .expired: next()
        case .open(let owner) where owner.eventLoop.inEventLoop:
            if host.stream(id)?.resume(afterEvent: event, writer) != true { next() }
        case .open(let owner):
            let handOver = ResponseHandOver(of: writer, on: host.eventLoop)
            let back = NIOLoopBound((writer: writer, next: next), eventLoop: host.eventLoop)
            owner.eventLoop.execute {
                let host = owner.value
                let isResumed = host.stream(id)?.resume(
                    afterEvent: event, RelayedResponse(handOver, on: host.eventLoop))
                host.turnEnded()
                if isResumed != true { back.eventLoop.execute { Self.takeBack(back.value.writer, back.value.next) } }
            }
        }
    }

    /// A response that was passed to another loop is used on its own loop after all.
    private static func takeBack(_ writer: any ConnectionResponse, _ next: () -> Void) {
        writer.delegate = nil
        // A client that has left meanwhile needs no stream.
        guard writer.isConnected else { return }
        next()
        writer.turnEnded()
    }

    /// Calls a function with a stream, on the stream's loop.
    ///
    /// - Parameters:
    ///   - id: The stream's id.
    ///   - request: The request that names it.
    ///   - client: The client's address.
    ///   - writer: Receives the response.
    ///   - act: Called on that loop, with the stream, or `nil` if it has just ended.
    /// - Throws: `noSuchStream`, or that it has expired.
    private func reach(
        _ id: StreamId, for request: Request, client: String, writer: any ConnectionResponse,
        _ act: @escaping @Sendable (StreamAccess, Stream?) -> Void
    ) throws(Problem) {
        switch host.registry.place(of: id) {
        case .unknown: throw .noSuchStream
        case .expired: throw .gone()
        case .open(let owner) where owner.eventLoop.inEventLoop:
            act(StreamAccess(host: host, request: request, client: client, response: writer), host.stream(id))
        case .open(let owner):
            let handOver = ResponseHandOver(of: writer, on: host.eventLoop)
            owner.eventLoop.execute {
                let host = owner.value
                let response = RelayedResponse(handOver, on: host.eventLoop)
                act(
                    StreamAccess(host: host, request: request, client: client, response: response),
                    host.stream(id))
                host.turnEnded()
            }
        }
    }
}

extension FeedbackBody {
    /// The feedback in a collected body.
    fileprivate static func feedback(in body: Result<ByteBuffer, RequestBody.Failure>) throws(Problem) -> Feedback {
        let bytes: ByteBuffer
        switch body {
        case .success(let collected): bytes = collected
        case .failure(let failure): throw Problem(failure)
        }
        do throws(FeedbackError) {
            return try FeedbackBody(Array(bytes.readableBytesView)).feedback
        } catch {
            throw Problem(error)
        }
    }
}
