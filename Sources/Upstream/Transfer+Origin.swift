import CCurl
import Flow

// Where the connection of a transfer goes, and whom it trusts there: each option is set whenever the origin changes,
// because an easy handle keeps what it was told for its last one.

extension Transfer {
    /// What libcurl was built to trust; asked before any option changes it.
    static let systemAuthorities = (file: defaultPath(CURLINFO_CAINFO), folder: defaultPath(CURLINFO_CAPATH))

    private static func defaultPath(_ info: CURLINFO) -> String? {
        guard let easy = curl_easy_init() else { return nil }
        defer { curl_easy_cleanup(easy) }
        var path: UnsafeMutablePointer<CChar>?
        guard weir_easy_get_pointer(easy, info, &path) == CURLE_OK else { return nil }
        return path.map { String(cString: $0) }
    }

    func connect(to origin: Origin) {
        // Taken apart here, libcurl does not do it again for each request; where it cannot be, its word on it is CURLOPT_URL's.
        weir_easy_set_string(easy, CURLOPT_URL, origin.url)
        let url = curl_url()
        let isURL = curl_url_set(url, CURLUPART_URL, origin.url, 0) == CURLUE_OK
        weir_easy_set_pointer(easy, CURLOPT_CURLU, isURL ? url.map(UnsafeMutableRawPointer.init) : nil)
        // libcurl copies neither this nor where to connect.
        curl_url_cleanup(self.url)
        self.url = url
        let version =
            !origin.speaksHTTP2
            ? CURL_HTTP_VERSION_1_1
            : origin.trust == nil ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_2TLS
        weir_easy_set_long(easy, CURLOPT_HTTP_VERSION, Int(version))
        weir_easy_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(origin.connectTimeout.nanoseconds / 1_000_000))
        weir_easy_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, origin.socketPath)
        let target = origin.target.flatMap { curl_slist_append(nil, $0) }
        weir_easy_set_pointer(easy, CURLOPT_CONNECT_TO, target)
        curl_slist_free_all(self.target)
        self.target = target
        guard let trust = origin.trust else { return }
        let verifies = trust != .anybody
        weir_easy_set_long(easy, CURLOPT_SSL_VERIFYPEER, verifies ? 1 : 0)
        weir_easy_set_long(easy, CURLOPT_SSL_VERIFYHOST, verifies ? 2 : 0)
        // One file alone: libcurl would trust those of the system's folder beside it.
        if case .authority(let path) = trust {
            weir_easy_set_string(easy, CURLOPT_CAINFO, path)
            weir_easy_set_string(easy, CURLOPT_CAPATH, nil)
        } else {
            weir_easy_set_string(easy, CURLOPT_CAINFO, Self.systemAuthorities.file)
            weir_easy_set_string(easy, CURLOPT_CAPATH, Self.systemAuthorities.folder)
        }
    }
}
