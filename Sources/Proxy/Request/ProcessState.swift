import NIOConcurrencyHelpers
import Observability

/// What the process reports of itself: its build, its log, whether it is ready, its last reload.
struct ProcessState: Sendable {
    let build: ProcessReport.Build
    let log: ProcessLog
    let readiness: Readiness
    let reloads = NIOLockedValueBox(ReloadStatus())
}
