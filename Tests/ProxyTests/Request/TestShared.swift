import Downstream
import Flow
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Observability
import Settings
import TestSupport

@testable import Proxy

/// Pages that report nothing.
final class FakePages: OperatorPages {
    private final class NoHandler: RequestHandler {
        func requestArrived(_ request: Request, body: RequestBody, writer: any ConnectionResponse) {}
        func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse) {}
    }

    func makeHandler(
        of proxy: OperatorInterface, on loop: any EventLoop, outbox: Outbox, timers: LoopTimers
    ) -> any RequestHandler { NoHandler() }

    func answerHealth(
        of proxy: OperatorInterface, _ request: Request, to response: any ClientResponse, on loop: any EventLoop,
        answered: @escaping (_ status: Int, _ bytes: Int) -> Void
    ) {
        response.respond(.ok, headers: [:], text: "{}")
        answered(200, 2)
    }

    func metrics<Output: MetricsOutput>(
        of proxy: OperatorInterface, to output: Output, on loop: any EventLoop
    ) -> EventLoopFuture<Output> { loop.makeSucceededFuture(output) }
}

/// What all loops share, for tests of one, with logs that can be read.
final class TestShared {
    let shared: Shared
    let readiness = Readiness()
    private let sink: LogSink
    private let directory: TemporaryDirectory
    private let processFile: FileHandle
    private let process: ProcessLog

    init(_ configuration: Configuration) throws {
        directory = try TemporaryDirectory()
        sink = try LogSink(.file(path: directory.path(of: "access.log")))
        try directory.write("", to: "process.log")
        processFile = try FileHandle(forWritingTo: URL(filePath: directory.path(of: "process.log")))
        process = ProcessLog(level: .info, to: processFile.fileDescriptor)
        shared = Shared(
            configuration, workers: 1, maximumConnections: 100, log: sink, process: process, readiness: readiness,
            version: "test", tls: nil, pages: FakePages())
    }

    deinit {
        _ = sink.close(within: .seconds(10))
        process.close(within: .seconds(10))
    }

    /// The id of a stream that is not open.
    let anyId: StreamId = {
        var random = SystemRandomNumberGenerator()
        return StreamId(using: &random)
    }()

    func makeLog(_ metrics: LoopMetrics) -> RequestLog {
        let shared = shared
        return RequestLog(shared.log, metrics: metrics, date: shared.date) { shared.served.problemStyle }
    }

    /// The text of the process's log; nothing is logged there after this.
    func processText() throws -> String {
        guard process.close(within: .seconds(10)) else { return "" }
        return try directory.text(of: "process.log")
    }

    /// The lines of the access log; nothing is logged there after this.
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
