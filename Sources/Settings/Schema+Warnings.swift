import Flow

// Values that are valid, and are probably not what was meant.

extension Schema {
    /// Reports warnings about a configuration without errors.
    ///
    /// - Parameters:
    ///   - configuration: The configuration that was read.
    ///   - setting: The whole file.
    ///   - isFolder: Whether a path is that of a folder.
    static func warn(about configuration: Configuration, in setting: Setting, isFolder: (String) -> Bool) {
        guard setting.reading.errors.isEmpty else { return }
        warnOfLogFolder(configuration, in: setting, isFolder: isFolder)
        for (route, item) in zip(configuration.routes, setting["routes"]?.items ?? []) {
            warnOfWildcard(route, in: item)
            warnOfOwnAddress(route, listen: configuration.listen.map(\.address), in: item)
            warnOfPause(route, in: item)
            warnOfTrust(route, in: configuration, item)
            warnOfSharing(route, limits: configuration.limits, in: item)
            warnOfClientGone(route, in: item)
        }
    }

    private static func warnOfLogFolder(
        _ configuration: Configuration, in setting: Setting, isFolder: (String) -> Bool
    ) {
        guard case .file(let path)? = configuration.accessLog?.destination else { return }
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard !isFolder(folder) else { return }
        let written = setting["access_log"]?["path"] ?? setting
        written.warn(
            "is \(written.description): the folder \(quoted(folder)) does not exist, and weir does not create it")
    }

    /// A path is a prefix, and has no wildcards.
    private static func warnOfWildcard(_ route: Route, in item: Setting) {
        guard route.match.path.contains("*"), let match = item["match"] else { return }
        let parts = route.match.path.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
        let prefix = String(parts.first ?? "/")
        let shorter = prefix.count > 1 && prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
        let written = match["path"] ?? match
        written.warn(
            "is \(written.description): `*` has no special meaning; "
                + "\(quoted(shorter)) matches that path and all below it")
    }

    private static func warnOfOwnAddress(_ route: Route, listen: [ListenAddress], in item: Setting) {
        guard let written = item["upstream"] else { return }
        for (address, entry) in zip(route.upstreams, written.items) where listen.contains(where: address.isAt) {
            entry.warn("is \(entry.description): weir itself listens there, and would send requests to itself")
        }
    }

    /// A stream waits for its client only in the `resume_window`, and with all records only where none are dropped.
    private static func warnOfClientGone(_ route: Route, in item: Setting) {
        guard let written = item["on_client_gone"] else { return }
        switch (route.onClientGone, route.resumeWindow) {
        case (.cancel, _?):
            item["resume_window"]?.warn("has no effect here: `on_client_gone: cancel` ends the stream at once")
        case (.continue, nil):
            written.warn("is \(written.description), and has no effect without a `resume_window`")
        case (.continue, _?) where route.overflow.drops:
            written.warn(
                "is \(written.description), and `overflow: \(route.overflow.rawValue)` drops records also while the client "
                    + "is gone: the response that it resumes is not complete")
        case (.continue, _?) where route.shared != nil:
            written.warn(
                "is \(written.description), and has no effect on shared requests: `shared` says how long they are read, and "
                    + "what is retained")
        case (.cancel, nil), (.wait, _), (.continue, _?): break
        }
    }

    /// A tier in a header is believed only from trusted peers; those of a unix socket always are.
    private static func warnOfTrust(_ route: Route, in configuration: Configuration, _ item: Setting) {
        guard case .header? = route.clientTier, configuration.trustedProxies.isEmpty,
            !configuration.listen.contains(where: { if case .unix = $0.address { true } else { false } })
        else { return }
        item["client_tier"]?.warn("names a header that is only believed from `trusted_proxies`, and there are none")
    }

    /// A pause ends at the first free slot once it has lasted half its limit (``StreamMachine``).
    private static func warnOfPause(_ route: Route, in item: Setting) {
        guard route.overflow == .pause, let pause = route.timeouts.pause, let rate = item["rate"],
            case .limited(let pace) = route.policy.defaultPace, case let spacing = Duration.nanoseconds(pace.spacing),
            spacing > pause / 2
        else { return }
        rate.warn(
            "allows a record every \(spacing.text), and `timeouts.pause` ends a stream after a pause of "
                + "\(pause.text); a full queue can wait longer")
    }
}

extension UpstreamAddress {
    /// Whether requests for this address reach a listener on this machine.
    fileprivate func isAt(_ listener: ListenAddress) -> Bool {
        switch listener {
        case .unix(let path): socketPath == path
        case .ip(let address, let port):
            socketPath == nil && self.port == port && port != 0
                && (host == address || (Self.localNames.contains(host) && Self.localAddresses.contains(address)))
        }
    }

    private static let localNames: Set = ["localhost", "127.0.0.1", "::1", "0.0.0.0", "::"]
    private static let localAddresses: Set = ["127.0.0.1", "::1", "0.0.0.0", "::"]
}
