import Flow

/// What the configuration will know and this version does not do yet.
///
/// All of it is refused by name: a key that is taken and does nothing would be worse than one that is missing. Building
/// a part means taking its line out of here and adding its key to `Schema`.
enum Unbuilt {
    static let words = "not built into this version yet"

    /// Keys, by their path.
    static let keys: Set<String> = [
        "routes.balance",
        "routes.retry",
    ]

    /// Keys that will take a list and take one value for now, by their path.
    static let lists: Set<String> = ["routes.upstream"]

    static let framings: Set<Framing> = [.sse, .jsonSequence]
    static let upstreamSchemes = ["https:", "unix:"]
}
