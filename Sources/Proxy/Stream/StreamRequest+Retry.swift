import Downstream
import Flow
import NIOHTTP1
import Settings
import Upstream

extension StreamRequest {
    /// Whether another upstream may be tried: the route permits it, and no effect can occur twice (RFC 9110, section 9.2.2).
    ///
    /// - Parameters:
    ///   - error: Why the last attempt failed, before the client was sent anything; `nil` if it was too slow.
    ///   - attempts: The attempts so far.
    /// - Returns: Whether one may be tried.
    func mayRetry(after error: UpstreamError?, attempts: Int) -> Bool {
        request.head.method.isIdempotent && !request.hasBody && route.mayRetry(after: error, attempts: attempts)
    }
}

extension ProxyRoute {
    /// Whether another upstream may be tried for a request without effects.
    func mayRetry(after error: UpstreamError?, attempts: Int) -> Bool {
        guard let retry = settings.retry, attempts < retry.attempts else { return false }
        return error?.isOfOneUpstream ?? true
    }
}

extension UpstreamError {
    /// Whether another upstream may succeed; a response that one began to send wrongly, another would send as well.
    fileprivate var isOfOneUpstream: Bool {
        switch self {
        case .unresolved, .refused, .unreachable, .connectTimeout, .handshake, .untrusted, .reset, .truncated,
            .closedWhileIdle:
            true
        case .malformed: false
        }
    }
}
