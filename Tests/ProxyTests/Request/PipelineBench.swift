import Downstream
import Flow
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Observability
import Settings
import TestSupport

@testable import Downstream
@testable import Proxy

/// Records what the pipeline passes on.
final class FakeDestination: RequestDestination {
    var openStreams = 0
    var promises = false
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

/// Pages that report nothing.
private struct FakePages: OperatorPages {
    private final class NoHandler: RequestHandler {
        func requestArrived(_ request: Request, body: RequestBody, writer: any ConnectionResponse) {}
        func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse) {}
    }

    func makeHandler(
        of proxy: OperatorInterface, on loop: any EventLoop, outbox: Outbox, timers: LoopTimers
    ) -> any RequestHandler { NoHandler() }

    func answerHealth(
        of proxy: OperatorInterface, to response: any ClientResponse, on loop: any EventLoop,
        answered: @escaping (_ status: Int, _ bytes: Int) -> Void
    ) {
        response.respond(.ok, headers: [:], text: "{}")
        answered(200, 2)
    }
}

/// What all loops share, for tests of one, with an access log that can be read.
final class TestShared {
    let shared: Shared
    let readiness = Readiness()
    private let sink: LogSink
    private let directory: TemporaryDirectory
    private let process = ProcessLog(level: Logger.Level.critical)

    init(_ configuration: Configuration) throws {
        directory = try TemporaryDirectory()
        sink = try LogSink(.file(path: directory.path(of: "access.log")))
        shared = Shared(
            configuration, workers: 1, maximumConnections: 100, log: sink, process: process, readiness: readiness,
            version: "test", tls: nil, pages: FakePages())
    }

    deinit {
        _ = sink.close(within: .seconds(10))
        process.close(within: .seconds(10))
    }

    /// The lines of the access log; nothing is logged after this.
    func logLines() throws -> [[String: Any]] {
        guard sink.close(within: .seconds(10)) else { return [] }
        return try directory.text(of: "access.log").split(separator: "\n").map { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        }
    }
}

extension Configuration {
    /// One route `/` to an upstream that does not exist.
    static func oneRoute(_ change: (inout Route) -> Void = { _ in }) -> Configuration {
        var route = Route(match: .init(path: "/"), upstreams: [UpstreamAddress(host: "origin", port: 9000)])
        change(&route)
        return Configuration(routes: [route])
    }
}

extension Request {
    /// A request as a listener passes it on.
    static func of(
        _ method: HTTPMethod = .GET, _ uri: String = "/", _ headers: [(String, String)] = [],
        host: String? = "example.com", peer: String = "192.0.2.1"
    ) throws -> Request {
        let fields = HTTPHeaders((host.map { [("Host", $0)] } ?? []) + headers)
        return try Request(
            head: HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: fields), peer: peer)
    }
}
