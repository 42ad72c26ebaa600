import Downstream
import HTTPText
import NIOHTTP1
import Observability
import Settings

/// The access log as configured: which lines are written, and in which format.
final class AccessLog: Sendable {
    private let sink: LogSink
    private let format: Configuration.AccessLog.Format
    /// Whether a line is written when a request is forwarded.
    let tellsStarts: Bool
    /// The interval of progress lines; `nil` if there are none.
    let progressInterval: Duration?

    /// Headers that only the combined format contains.
    private static let combinedHeaders = ["referer", "user-agent"]
    /// The maximum length of each: nginx would keep 8 KiB, but here a stream may last for hours.
    private static let longestValue = 1024

    init(_ sink: LogSink, _ settings: Configuration.AccessLog) {
        self.sink = sink
        format = settings.format
        tellsStarts = settings.tellsStarts
        progressInterval = settings.progressInterval
    }

    /// Lines lost since the start.
    var lost: Int { sink.lost }

    func write(_ event: StreamEvent) {
        let entry = AccessLogEntry(event, at: .now())
        switch format {
        case .json: sink.write(entry.json())
        case .combined: if let line = entry.combined() { sink.write(line) }
        }
    }

    /// The headers of a request that its log line needs at the end, truncated.
    func keptHeaders(of request: Request) -> HTTPHeaders {
        guard format == .combined else { return HTTPHeaders() }
        return HTTPHeaders(
            Self.combinedHeaders.compactMap { name in value(of: name, in: request.head.headers).map { (name, $0) } })
    }

    /// Adds headers that only some formats contain; other headers may be secret, and are never logged.
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
