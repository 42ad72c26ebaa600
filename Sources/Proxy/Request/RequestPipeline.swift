import Downstream
import Flow
import Logging
import NIOHTTP1
import Observability
import Settings

/// The steps of a request from accept to admit, on one event loop.
///
/// Each step either passes the request on or throws the problem for the response. An admitted request is passed to the
/// ``RequestDestination``.
final class RequestPipeline {
    private let shared: Shared
    private let log: RequestLog
    private let clock: () -> Instant
    /// Strong: connections own the pipeline, and pass requests to it until they end.
    private let destination: any RequestDestination
    private var random = RandomPool()
    private let connectionFailures = WarningPace(every: .seconds(60))

    /// - Parameters:
    ///   - shared: What all loops share.
    ///   - log: Responds with problems, and logs them.
    ///   - clock: Reads the monotonic clock.
    ///   - destination: Receives the requests that are not responded to here.
    init(shared: Shared, log: RequestLog, clock: @escaping () -> Instant, to destination: any RequestDestination) {
        (self.shared, self.log, self.clock, self.destination) = (shared, log, clock, destination)
    }

    /// What is known of a request when it is refused: counted for its route, and logged.
    private struct Matched {
        let route: ProxyRoute
        var tier: String?
    }

    /// The steps in order; `matched` is set as soon as the route is known.
    private func serve(
        _ request: Request, body: RequestBody, client: String, by served: ServedConfiguration,
        writer: any ConnectionResponse, matched: inout Matched?
    ) throws(Problem) {
        if case .CONNECT = request.head.method { throw .connectNotImplemented }
        guard request.hasProperHost, request.hasProperTarget else {
            writer.closeAfterwards()
            throw .malformedRequest
        }
        if let port = request.redirectPort {
            return try redirect(request, toPort: port, client: client, writer: writer)
        }
        let path = request.path
        if served.crossOrigin != nil, let answer = try served.preflight(of: request) {
            answer.send(to: writer, date: shared.date.text(at: .now()))
            return log.logOwnAnswer(request, status: Int(answer.status.code), bytes: 0, client: client)
        }
        if served.health.owns(path) {
            return try destination.answerHealth(request, client: client, response: writer)
        }
        guard !shared.isDraining else { throw .unavailable(.draining) }
        guard request.expectation != .unknown else { throw .expectationFailed }
        if let target = served.streamsAddress?.target(of: path) {
            return try destination.serve(target, request, body: body, client: client, writer: writer)
        }
        let route = try served.route(of: request, path: path)
        matched = Matched(route: route)
        guard !served.forwarding.isLoop(request) else { throw .loopDetected }
        try route.checkBody(of: request)
        let maxForwards = try MaxForwards(of: request)
        guard maxForwards != .exhausted else {
            return try answerAsLastHop(request, on: route, client: client, response: writer)
        }
        let key = try served.clients.key(of: request, address: client, by: route.settings.clientKey)
        let tier = route.settings.clientTier == nil ? nil : tier(of: request, key: key, on: route, by: served)
        matched?.tier = tier
        let terms = try route.terms(for: request, tier: tier)
        let streamRequest = StreamRequest(
            request: request, client: client, key: key, tier: tier, route: route, served: served, terms: terms,
            preferences: Preferences(prefer: request.values(of: "prefer")), maxForwards: maxForwards,
            body: request.hasBody ? body : nil)
        if let believed = route.withoutClaimedTier(request, by: served.clients) { streamRequest.request = believed }
        if served.crossOrigin != nil {
            streamRequest.request.crossOrigin = served.crossOriginFields(for: request, on: route)
        }
        streamRequest.sharing = route.sharing?.sharing(of: streamRequest.request, by: served.clients) ?? .off
        if let resume = try ResumeRequest.sent(in: request) {
            guard case .shared(let key, _) = streamRequest.sharing, !shared.registry.isOpen(resume.stream) else {
                return try destination.resume(resume, for: streamRequest, writer: writer)
            }
            streamRequest.sharing = .shared(key, .resumed(resume))
        }
        guard !resumesByEvent(streamRequest, writer: writer) else { return }
        try open(streamRequest, writer: writer)
    }

    /// Continues a stream that the client has lost, if the request names an event of one.
    ///
    /// - Returns: Whether the request is handled; if not, it is for a new stream, which can be found later.
    private func resumesByEvent(_ request: StreamRequest, writer: any ConnectionResponse) -> Bool {
        guard request.route.resumesByEvents, !request.sharing.isShared else { return false }
        request.resumption = request.route.resumptionKey(of: request.request, from: request.key)
        guard let key = request.resumption, let event = request.request.head.headers.lastEventId else { return false }
        let streams = shared.registry.detached(by: key)
        guard !streams.isEmpty else { return false }
        destination.resume(after: event, oneOf: streams, for: request, writer: writer) { [self] in
            do throws(Problem) {
                // The drain may have begun while another loop looked for the stream.
                guard !shared.isDraining else { throw .unavailable(.draining) }
                try open(request, writer: writer)
            } catch {
                log.refuse(
                    request.request, with: error, client: request.client, route: request.route.name, tier: request.tier,
                    response: writer)
            }
        }
        return true
    }

    /// The client's tier on a route with tiers; an unknown one is counted and logged.
    private func tier(
        of request: Request, key: ClientKey, on route: ProxyRoute, by served: ServedConfiguration
    ) -> String? {
        let tier = route.tier(of: request, key: key, by: served.clients)
        if tier == .unknown {
            log.countUnknownTier(on: route.name)
            route.warnings.unknownTier(to: shared.processLog, at: clock())
        }
        return tier.name
    }

    /// Responds with the `https:` URL of the request.
    ///
    /// The status is 308, which unlike 301 and 302 keeps the method and the body (RFC 9110, section 15.4.9).
    private func redirect(
        _ request: Request, toPort port: Int, client: String, writer: any ConnectionResponse
    ) throws(Problem) {
        guard let url = request.secureURL(port: port) else {
            writer.closeAfterwards()
            throw .malformedRequest
        }
        var answer = OwnAnswer(.permanentRedirect, isStorable: true)
        answer.headers.add(name: "Location", value: url)
        answer.send(to: writer, for: request, date: shared.date.text(at: .now()))
        log.logOwnAnswer(request, status: 308, bytes: 0, client: client)
    }

    /// Responds to a request that must not be forwarded again (RFC 9110, section 7.6.2); TRACE is rejected.
    private func answerAsLastHop(
        _ request: Request, on route: ProxyRoute, client: String, response: any ClientResponse
    ) throws(Problem) {
        let allowed = route.allowedMethods
        guard request.head.method == .OPTIONS else { throw .methodNotAllowed(allowed) }
        var answer = OwnAnswer(.ok, isStorable: true)
        answer.headers.add(name: "Allow", value: allowed)
        answer.send(to: response, for: request, date: shared.date.text(at: .now()))
        log.logOwnAnswer(request, status: 200, bytes: 0, client: client)
    }

    /// Starts a stream, or promises one to a client that prefers to wait.
    private func open(_ request: StreamRequest, writer: any ConnectionResponse) throws(Problem) {
        let now = clock()
        do throws(AdmissionError) {
            let (terms, wouldRefuse) = try shared.granted(request.terms, openStreams: destination.openStreams)
            request.terms = terms
            let permit = try request.admit(at: now)
            destination.start(request, with: permit, wouldRefuse: wouldRefuse, writer: writer, at: now)
        } catch {
            guard request.preferences.respondsAsync, request.route.async != nil, error.endsByWaiting,
                destination.promise(request, refusedFor: error, writer: writer, at: now)
            else { throw Problem(request.route.gate.spread(error, of: request.key, tier: request.tier, at: now)) }
        }
    }
}

extension RequestPipeline: RequestHandler {
    func requestArrived(_ request: consuming Request, body: RequestBody, writer: any ConnectionResponse) {
        let served = shared.served
        if served.configuration.isTracing {
            request.trace = TraceContext(
                joining: request.values(of: TraceContext.parentHeader), sampling: shared.sampling, using: &random)
        }
        if served.crossOrigin != nil { request.crossOrigin = served.crossOriginFields(for: request, on: nil) }
        let client = served.clients.client(of: request)
        var matched: Matched?
        do throws(Problem) {
            try serve(request, body: body, client: client, by: served, writer: writer, matched: &matched)
        } catch {
            if let matched { request.crossOrigin = served.crossOriginFields(for: request, on: matched.route) }
            log.refuse(
                request, with: error, client: client, route: matched?.route.name, tier: matched?.tier, response: writer)
        }
    }

    func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse) {
        log.refuse(
            Problem(fault, limits: shared.served.connectionLimits), peer: peer, response: writer)
    }

    func connectionFailed(_ peer: String, because reason: String) {
        guard connectionFailures.isDue(at: clock()) else { return }
        shared.processLog.info(
            "a client's HTTP/2 connection was ended for what it sent",
            metadata: ["client": "\(peer)", "reason": "\(reason)"])
    }
}
