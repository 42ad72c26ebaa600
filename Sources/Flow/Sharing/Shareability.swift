import HTTPText

/// Whether a response may be sent to other clients than the one that asked for it.
package enum Shareability {
    /// The parts of a response's head that decide.
    package struct Head: Sendable {
        package var status: Int
        package var isStream: Bool
        package var setsCookie: Bool
        /// The members of all `Vary` fields.
        package var vary: [Substring]
        /// The members of all `Cache-Control` fields.
        package var cacheControl: [Substring]

        package init(
            status: Int, isStream: Bool, setsCookie: Bool = false, vary: [Substring] = [],
            cacheControl: [Substring] = []
        ) {
            (self.status, self.isStream, self.setsCookie) = (status, isStream, setsCookie)
            (self.vary, self.cacheControl) = (vary, cacheControl)
        }
    }

    /// Why not; `nil` if it may be.
    ///
    /// `Cache-Control: private` and `no-store` count with and without arguments (RFC 9111, section 5.2.2).
    package static func refusal(of head: Head, by rules: SharingRules) -> SharingRefusal? {
        guard (200...299).contains(head.status) else { return .status }
        guard head.isStream else { return .notAStream }
        guard !head.setsCookie else { return .setCookie }
        guard rules.covers(vary: head.vary) else { return .vary }
        let directives = head.cacheControl.map { $0.prefix { $0 != "=" }.trimmingOptionalWhitespace.lowercased() }
        return directives.contains { $0 == "private" || $0 == "no-store" } ? .cacheControl : nil
    }
}
