import HTTPText

/// The address of the health page, `paths.health`, on both listeners.
struct HealthAddress: Sendable {
    /// Without a slash at its end; `nil` if there is none.
    let path: String?

    /// Whether a request's path belongs to weir itself and not to the routes.
    func owns(_ requested: Substring) -> Bool {
        guard let path, requested.begins(with: path) else { return false }
        return requested.utf8.count == path.utf8.count || requested.dropFirst(path.count).first == "/"
    }

    /// Whether it is the page itself.
    func isHere(_ requested: Substring) -> Bool { path.map { requested == $0 } ?? false }
}
