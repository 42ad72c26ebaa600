import Downstream
import Flow
import HTTPText
import NIOCore
import NIOHTTP1
import Observability
import Settings

// Streams have addresses of their own: who knows a stream's id may look at it, talk to it, end it, or come for it, on any
// connection and any event loop.

extension Worker {
    // MARK: Requests that name a stream

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
            body.collect(upTo: FeedbackBody.maximumBytes, within: shared.served.connectionLimits.headerTime) {
                [self] result in
                do throws(Problem) {
                    let feedback = try FeedbackBody.feedback(in: result)
                    try reach(id, for: request, client: client, writer: writer) { $0.hear(feedback, $1) }
                } catch {
                    refuse(request, with: error, client: client, route: nil, response: writer)
                }
            }
        case (.stream, _): throw .methodNotAllowed("GET, HEAD, DELETE")
        case (.feedback, _): throw .methodNotAllowed("POST")
        case (.nothing, _): throw .noSuchStream
        }
    }

    /// A client comes back for the rest of its stream.
    ///
    /// - Returns: Whether it does.
    func resume(_ asked: StreamRequest, writer: any ConnectionResponse) throws(Problem) -> Bool {
        let values = asked.request.head.headers[ResumeRequest.header]
        guard !values.isEmpty else { return false }
        guard values.count == 1, let wanted = ResumeRequest(values[0]) else {
            throw .invalidRequest("\(ResumeRequest.header) must be a stream's id and ;after= with a number of records")
        }
        let route = asked.route.name
        try reach(wanted.stream, for: asked.request, client: asked.client, writer: writer) { visit, driver in
            guard let driver, driver.route.name == route else {
                return visit.refuse(with: .cannotResume, route: route)
            }
            if let problem = driver.resume(after: wanted.received, visit.response) {
                visit.refuse(with: problem, route: route)
            }
        }
        return true
    }

    /// Goes to a stream on whatever loop it lives.
    ///
    /// - Parameters:
    ///   - id: The stream's.
    ///   - request: The request that names it.
    ///   - client: The address it came from.
    ///   - writer: Where the answer goes.
    ///   - act: Is called on that loop, with the stream, or `nil` where it has just ended.
    /// - Throws: `noSuchStream`, or that it has expired.
    private func reach(
        _ id: StreamId, for request: Request, client: String, writer: any ConnectionResponse,
        _ act: @escaping @Sendable (StreamAccess, StreamDriver?) -> Void
    ) throws(Problem) {
        switch shared.registry.place(of: id) {
        case .unknown: throw .noSuchStream
        case .expired: throw .gone()
        case .open(let owner) where owner.eventLoop.inEventLoop:
            act(StreamAccess(worker: self, request: request, client: client, response: writer), named[id])
        case .open(let owner):
            let handOver = ResponseHandOver(of: writer, on: eventLoop)
            owner.eventLoop.execute {
                let worker = owner.value
                let response = RelayedResponse(handOver, on: worker.eventLoop)
                act(
                    StreamAccess(worker: worker, request: request, client: client, response: response), worker.named[id]
                )
                worker.turnEnded()
            }
        }
    }

    /// Gives a stream an address of its own.
    func register(_ driver: StreamDriver) {
        guard named.updateValue(driver, forKey: driver.id) == nil else { return }
        shared.registry.add(driver.id, on: NIOLoopBound(self, eventLoop: eventLoop))
    }

    /// Ends a detached stream whose slot another stream of its client has, on whatever loop it is.
    func endDisplaced(_ id: StreamId) {
        guard case .open(let owner) = shared.registry.place(of: id) else { return }
        guard !owner.eventLoop.inEventLoop else { return named[id]?.end(.clientGone) ?? () }
        owner.eventLoop.execute {
            owner.value.named[id]?.end(.clientGone)
            owner.value.turnEnded()
        }
    }

    // MARK: Answers

    /// Answers with a stream's state: 200, or 202 and where to fetch it as long as it cannot be had.
    func answer(
        _ state: StreamState, retryAfter: Duration? = nil, isPromise: Bool = false, response: any ClientResponse
    ) {
        var headers = HTTPHeaders([
            ("Content-Type", "application/json"), ("Cache-Control", "no-store"),
            ("Date", shared.date.text(at: Timestamp.now())), ("X-Stream-Id", state.id.text),
        ])
        if let retryAfter {
            headers.add(name: "Retry-After", value: String(retryAfter.retryAfterSeconds))
            headers.add(name: "Location", value: shared.served.streamsAddress?.location(of: state.id) ?? "")
        }
        if isPromise {
            headers.add(name: "Preference-Applied", value: "respond-async")
            headers.add(name: "Vary", value: "Prefer")
        }
        response.respond(retryAfter == nil ? .ok : .accepted, headers: headers, text: state.json + "\n")
    }

    /// Tells the log of an answer that is weir's own and no problem; `bytes` are its text's, which HEAD does not get.
    func tellOwn(_ request: Request, status: Int, bytes: Int, client: String) {
        guard isLogging else { return }
        let bytes = request.head.method == .HEAD ? .zero : ByteCount(bytes)
        tell(
            .ended(
                facts(of: request, client: client, route: nil, id: nextId()),
                StreamTotals(status: status, bytes: bytes), StreamEnd(.completed)))
    }

    /// Answers a request that must not be forwarded again (RFC 9110, section 7.6.2).
    ///
    /// OPTIONS gets the methods that the route takes. TRACE is refused: it would return a request to whatever page sent it.
    func answerAsLastHop(
        _ request: Request, on route: ProxyRoute, client: String, response: any ClientResponse
    ) throws(Problem) {
        let methods = route.settings.match.methods.isEmpty ? MethodSemantics.standard : route.settings.match.methods
        let allowed = methods.filter { $0 != "CONNECT" && $0 != "TRACE" }.joined(separator: ", ")
        guard request.head.method == .OPTIONS else { throw .methodNotAllowed(allowed) }
        response.respond(.ok, headers: ["Allow": allowed, "Date": shared.date.text(at: Timestamp.now())], text: "")
        tellOwn(request, status: 200, bytes: 0, client: client)
    }

    /// Answers a request with a problem, and tells the log.
    func refuse(
        _ request: Request, with problem: Problem, client: String, route: String?, response: any ClientResponse
    ) {
        let id = nextId()
        var problem = problem
        problem.instance = id.text
        problem.traceId = request.trace?.sharedTraceId
        let bytes = shared.answer(problem, to: request, response: response)
        meters.route(route).tally.refused(problem.kind, bytes: bytes)
        tell(
            .ended(
                facts(of: request, client: client, route: route, id: id),
                StreamTotals(status: problem.status, bytes: bytes), StreamEnd(.refused, problem: problem.kind)))
    }
}

/// A request that names a stream, on the stream's own loop.
struct StreamAccess {
    let worker: Worker
    let request: Request
    let client: String
    let response: any ClientResponse

    /// GET: attaches a client that wants the stream's records, tells everybody else how it stands.
    func look(_ driver: StreamDriver?) {
        guard let driver else { return refuse(with: .noSuchStream) }
        let state = driver.state(at: worker.clock())
        switch state.phase {
        case .waiting, .pending: answer(state, retryAfter: .seconds(1))
        case .ready, .failed:
            guard request.head.method == .GET, driver.isWanted(by: request) else { return answer(state) }
            driver.attach(response)
        case .streaming, .resumable, .ended: answer(state)
        }
    }

    func cancel(_ driver: StreamDriver?) {
        guard let driver else { return refuse(with: .noSuchStream) }
        driver.end(.cancelled)
        answer(driver.state(at: worker.clock()))
    }

    func hear(_ feedback: Feedback, _ driver: StreamDriver?) {
        guard let driver else { return refuse(with: .noSuchStream) }
        driver.heard(feedback)
        answer(driver.state(at: worker.clock()))
    }

    /// `route` is `nil` where the request was for the stream's own address.
    func refuse(with problem: Problem, route: String? = nil) {
        worker.refuse(request, with: problem, client: client, route: route, response: response)
    }

    private func answer(_ state: StreamState, retryAfter: Duration? = nil) {
        worker.answer(state, retryAfter: retryAfter, response: response)
        worker.tellOwn(request, status: retryAfter == nil ? 200 : 202, bytes: state.json.utf8.count + 1, client: client)
    }
}

extension FeedbackBody {
    /// What a collected body says.
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
