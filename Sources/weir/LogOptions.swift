import ArgumentParser
import Flow
import LogReport
import Observability
import Settings

/// The filter of `weir logs`.
struct LogOptions: ParsableArguments {
    @Option(
        help: .init(
            "Count requests that ended since then: 2026-02-28T09:00:00Z, or 15m for the last 15 minutes.",
            valueName: "time"))
    var since: Since?

    @Option(
        help: .init(
            "Count only this route, named as in the log; - for no route. May be repeated.", valueName: "route"))
    var route: [String] = []

    @Option(help: .init("Count only this client, named as in the log. May be repeated.", valueName: "client"))
    var client: [String] = []

    @Option(help: .init("Count only requests that ended for this reason. May be repeated.", valueName: "reason"))
    var reason: [Outcome] = []

    @Option(
        help: .init(
            "Count only requests whose upstream failed for this cause. May be repeated.", valueName: "cause"))
    var cause: [UpstreamCause] = []

    @Option(help: .init("The number of routes and clients to list, the heaviest by records.", valueName: "count"))
    var top = 20

    func validate() throws {
        guard top > 0 else { throw ValidationError("--top must be at least 1") }
    }

    func filter(now: Timestamp) -> LogFilter {
        LogFilter(
            since: since?.time(now: now), routes: Set(route), clients: Set(client), reasons: Set(reason),
            causes: Set(cause))
    }
}

/// A point in time, or a duration before now.
enum Since: ExpressibleByArgument {
    case time(Timestamp)
    case ago(Duration)

    init?(argument: String) {
        if let time = Timestamp(rfc3339: argument) {
            self = .time(time)
        } else if let duration = Duration(text: argument) {
            self = .ago(duration)
        } else {
            return nil
        }
    }

    func time(now: Timestamp) -> Timestamp {
        switch self {
        case .time(let time): time
        case .ago(let duration):
            Timestamp(millisecondsSince1970: now.millisecondsSince1970 - Int64(duration / .milliseconds(1)))
        }
    }
}

extension Outcome: ExpressibleByArgument {}
extension UpstreamCause: ExpressibleByArgument {}
