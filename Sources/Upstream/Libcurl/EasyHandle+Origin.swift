import CCurl
import Flow

// Where the connection of a transfer goes, and which certificates it accepts there.

extension EasyHandle {
    /// Sets what depends on the origin, on a handle with libcurl's defaults.
    func connect(to origin: Origin) {
        if self.origin !== origin { parse(origin) }
        if let url {
            weir_easy_set_pointer(pointer, CURLOPT_CURLU, UnsafeMutableRawPointer(url))
        } else {
            // libcurl's own message on what is wrong with it is the error of the transfer.
            set(CURLOPT_URL, origin.url)
        }
        set(CURLOPT_HTTP_VERSION, origin.version)
        set(CURLOPT_CONNECTTIMEOUT_MS, connectMilliseconds)
        if let path = origin.socketPath { set(CURLOPT_UNIX_SOCKET_PATH, path) }
        if let target { weir_easy_set_pointer(pointer, CURLOPT_CONNECT_TO, target) }
        switch origin.trust {
        case nil:
            // Without TLS nothing is verified, and libcurl would copy the paths of the system's certificates for each connection.
            for option in [CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH] {
                weir_easy_set_string(pointer, option, nil)
            }
        case .system: break
        case .authority(let path):
            // Only this file: libcurl would also accept the authorities in the system's folder.
            set(CURLOPT_CAINFO, path)
            weir_easy_set_string(pointer, CURLOPT_CAPATH, nil)
        case .anybody:
            set(CURLOPT_SSL_VERIFYPEER, 0)
            set(CURLOPT_SSL_VERIFYHOST, 0)
        }
    }

    /// Parses the URL once for all requests to the origin: libcurl copies neither this nor the list of targets.
    private func parse(_ origin: Origin) {
        curl_url_cleanup(url)
        curl_slist_free_all(target)
        url = curl_url()
        if curl_url_set(url, CURLUPART_URL, origin.url, 0) != CURLUE_OK {
            curl_url_cleanup(url)
            url = nil
        }
        target = origin.target.flatMap { curl_slist_append(nil, $0) }
        connectMilliseconds = Int(origin.connectTimeout.nanoseconds / 1_000_000)
        self.origin = origin
    }
}

extension Origin {
    fileprivate var version: Int {
        guard speaksHTTP2 else { return CURL_HTTP_VERSION_1_1 }
        return trust == nil ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_2TLS
    }
}
