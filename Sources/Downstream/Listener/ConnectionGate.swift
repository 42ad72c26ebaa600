/// Decides whether another connection may be accepted; shared by all loops.
package protocol ConnectionGate: AnyObject, Sendable {
    /// Counts a connection from this address, or refuses it; each `true` is answered by one `left`.
    func enter(_ peer: String) -> Bool
    func left(_ peer: String)
}
