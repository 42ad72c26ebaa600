import CCurl

/// The easy handles of one event loop that no transfer uses, and the cache of resolved names that all of them share.
final class EasyHandlePool {
    /// Idle handles that are kept: 5 KB each.
    private static let maximumIdle = 256

    private var idle: [EasyHandle] = []
    private let names = weir_share_dns_create()

    deinit {
        // In this order: handles refer to the share.
        removeAll()
        curl_share_cleanup(names)
    }

    /// Takes an idle handle, or makes one.
    ///
    /// - Throws: If libcurl has no memory for a handle.
    func take() throws -> EasyHandle { try idle.popLast() ?? EasyHandle(sharing: names) }

    /// Keeps a handle for the next transfer, as far as there is room.
    func giveBack(_ easy: EasyHandle) {
        guard idle.count < Self.maximumIdle else { return }
        easy.end()
        idle.append(easy)
    }

    func removeAll() { idle.removeAll() }
}
