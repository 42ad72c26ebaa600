import Flow
import Settings
import Upstream

/// A route as it runs: its settings, its upstream, and who may open a stream on it.
///
/// Shared by all loops: everything but the gate is immutable, and the gate has a lock.
final class ProxyRoute: Sendable {
    let settings: Route
    /// The route's name in logs: what it matches.
    let name: String
    let origin: Origin
    let gate: AdmissionGate
    let limits: Admission.Limits
    /// The deadlines of each stream on it.
    let machineLimits: StreamMachine.Limits

    init(_ settings: Route) {
        self.settings = settings
        name = settings.match.host.map { $0 + settings.match.path } ?? settings.match.path
        origin = Origin(
            url: settings.upstream.text, connectTimeout: settings.timeouts.connect,
            receiveBuffer: settings.upstreamReceiveBuffer)
        limits = Admission.Limits(
            perClient: settings.streams.perClient, perRoute: settings.streams.perRoute,
            starts: settings.streams.starts, startsBurst: settings.streams.startsBurst,
            upstreamStreams: settings.upstreamStreams)
        gate = AdmissionGate(limits: limits)
        machineLimits = StreamMachine.Limits(
            firstByte: settings.timeouts.firstByte, idle: settings.timeouts.idle, pause: settings.timeouts.pause,
            stall: settings.stallTimeout?.after, total: settings.timeouts.total)
    }
}
