import ArgumentParser
import PlainText

/// The address of an admin listener: `127.0.0.1:9090`, `http://host:port`, `https://…`, or `unix:` and a path.
struct AdminAddress: ExpressibleByArgument, Sendable {
    let text: String

    /// The default of `admin:`.
    static let usual = AdminAddress(text: "127.0.0.1:9090")

    private init(text: String) { self.text = text }

    init?(argument: String) {
        guard !argument.isEmpty, argument != "unix:" else { return nil }
        self.init(text: argument)
    }

    var defaultValueDescription: String { text }

    var unixPath: String? { text.hasPrefix("unix:") ? String(text.dropFirst("unix:".count)) : nil }

    func url(of path: String) -> String {
        if unixPath != nil { return "http://localhost" + path }
        let base = text.contains("://") ? text : "http://" + text
        return (base.hasSuffix("/") ? String(base.dropLast()) : base) + path
    }
}

/// The reason for a missing response, as a sentence for the operator.
struct AdminError: Error {
    /// In printable ASCII: it may contain text of the peer, which must not control the terminal.
    let reason: String

    init(reason: String) { self.reason = Printable.name(reason) }
}
