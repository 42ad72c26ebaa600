/// Decides whether another connection may be accepted; shared by all loops.
package protocol ConnectionGate: AnyObject, Sendable {
    /// Counts a connection from this address, or rejects it; after each `true`, ``leave(_:)`` is called once.
    func enter(_ peer: String) -> Bool
    func leave(_ peer: String)
}
