import Downstream
import HTTPText
import NIOHTTP1
import Observability
import Settings

/// The access log as it is configured: what is written of a request, in which form.
final class AccessLog: Sendable {
    private let sink: LogSink
    private let format: Configuration.AccessLog.Format
    /// Whether a line tells that a request was handed on.
    let tellsStarts: Bool
    /// How often a line tells how a running stream stands; `nil` for never.
    let progressInterval: Duration?

    /// Headers that only the combined format tells.
    private static let combinedHeaders = ["referer", "user-agent"]
    /// What is kept of each: nginx's buffers would take 8 KiB, but here a stream may live for hours.
    private static let longestValue = 1024

    init(_ sink: LogSink, _ settings: Configuration.AccessLog) {
        self.sink = sink
        format = settings.format
        tellsStarts = settings.tellsStarts
        progressInterval = settings.progressInterval
    }

    /// Lines that could not be written, since the start.
    var lost: Int { sink.lost }

    func write(_ event: StreamEvent) {
        let entry = AccessLogEntry(event, at: .now())
        switch format {
        case .json: sink.write(entry.json())
        case .combined: if let line = entry.combined() { sink.write(line) }
        }
    }

    /// The headers of a request that the log will want when its stream ends, cut to what is kept.
    func keptHeaders(of request: Request) -> HTTPHeaders {
        guard format == .combined else { return HTTPHeaders() }
        return HTTPHeaders(
            Self.combinedHeaders.compactMap { name in value(of: name, in: request.head.headers).map { (name, $0) } })
    }

    /// Adds what only some formats tell; other headers may be secret, and never get near the log.
    func add(headersOf request: Request, to facts: inout StreamFacts) {
        guard format == .combined else { return }
        facts.referer = value(of: Self.combinedHeaders[0], in: request.head.headers).map(FieldText.readable)
        facts.userAgent = value(of: Self.combinedHeaders[1], in: request.head.headers).map(FieldText.readable)
    }

    private func value(of name: String, in headers: HTTPHeaders) -> String? {
        headers.first(name: name).map {
            $0.utf8.count <= Self.longestValue ? $0 : String($0.unicodeScalars.prefix(Self.longestValue))
        }
    }
}
