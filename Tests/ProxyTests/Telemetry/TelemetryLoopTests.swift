import NIOCore
import NIOPosix
import OTLP
import Settings
import TestSupport
import Testing
import Upstream

@testable import Proxy

@Suite(.timeLimit(.minutes(10))) struct TelemetryLoopTests {
    private static func export() -> TelemetryLoop.Export {
        let settings = Configuration.OTLP(endpoint: .init(address: UpstreamAddress(host: "127.0.0.1", port: 9)))
        return TelemetryLoop.Export(
            destination: ExportDestination(settings, .traces, at: ExportDestination.origin(of: settings)),
            source: SpanSource(buffers: { [] }, encode: { _ in [] }, count: { _, _ in }), interval: .seconds(60),
            report: { _, _ in }, reportPartial: { _ in })
    }

    /// It is released here, on another thread than its loop's, as by a start of weir that fails.
    @Test func oneThatCannotStartMayBeReleasedAnywhere() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let telemetry = try await loop.submit {
            NIOLoopBound(try TelemetryLoop(on: loop, [Self.export()]), eventLoop: loop)
        }.get()
        await #expect(throws: (any Error).self) {
            try await loop.flatSubmit {
                telemetry.value.stop()
                return telemetry.value.start(waking: .auto)
            }.get()
        }
    }
}
