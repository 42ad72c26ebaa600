/// How problems are written: the settings of one generation of the configuration.
struct ProblemStyle: Sendable {
    /// The beginning of `type`.
    let base: String
    /// weir's name in `Proxy-Status` (RFC 9209); `nil` if the field is not sent.
    let proxyName: String?
}
