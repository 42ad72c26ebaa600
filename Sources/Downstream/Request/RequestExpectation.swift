import HTTPText
import NIOHTTP1

/// What the client expects before it sends the body (`Expect`; RFC 9110, section 10.1.1).
package enum RequestExpectation: Equatable, Sendable {
    case none
    /// It waits for `100 Continue`.
    case goAhead
    /// Another one, which weir does not support: 417.
    case unknown

    init(of head: HTTPRequestHead) {
        self = .none
        // An HTTP/1.0 client does not wait.
        guard head.version != .http1_0 else { return }
        for line in head.headers["expect"] {
            for member in line[...].parts(separatedBy: ",") ?? ["\""] {
                let member = member.trimmingOptionalWhitespace
                if member.isEmpty { continue }
                guard member.isCaseInsensitively("100-continue") else {
                    self = .unknown
                    return
                }
                self = .goAhead
            }
        }
    }
}
