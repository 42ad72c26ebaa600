import HTTPText
import NIOHTTP1

extension HTTPHeaders {
    /// The same fields without the optional white space around their values, which is not part of them (RFC 9110, section 5.5).
    ///
    /// NIO's decoder leaves it at the end of a value. A copy is made only if there is any.
    func trimmingOptionalWhitespace() -> HTTPHeaders {
        guard contains(where: { $0.value.hasOuterWhitespace }) else { return self }
        return HTTPHeaders(map { ($0.name, String($0.value[...].trimmingOptionalWhitespace)) })
    }
}
