/// The address of a server or a Sentinel.
package enum ServerAddress: Hashable, Sendable {
    /// A name or an address without brackets, and a port.
    case host(String, port: Int)
    case unix(path: String)
}
