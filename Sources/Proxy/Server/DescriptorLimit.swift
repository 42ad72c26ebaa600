import Glibc
import Logging

/// Lowers the number of connections to what the descriptor limit allows.
enum DescriptorLimit {
    /// Descriptors for everything except client and upstream connections: listeners, logs, epoll sets.
    private static let reserve = 128

    /// Raises the soft limit to the hard one, and returns the number of client connections that fit: each may need a second
    /// descriptor for its upstream.
    static func connections(wanted: Int, log: Logger) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let fitting = max(1, (Int(clamping: limit.rlim_cur) - reserve) / 2)
        guard fitting < wanted else { return wanted }
        log.notice(
            "fewer connections than configured: the descriptor limit allows no more",
            metadata: ["max_connections": "\(wanted)", "allowed": "\(fitting)"])
        return fitting
    }
}
