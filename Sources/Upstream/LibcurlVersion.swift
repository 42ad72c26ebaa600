import CCurl

/// The libcurl that this process has loaded.
package enum LibcurlVersion {
    /// Its name and version, such as `libcurl/8.14.1`.
    package static var name: String {
        guard let version = info?.version else { return "libcurl" }
        return "libcurl/" + String(cString: version)
    }

    /// Whether streams of HTTP/2 may be paused.
    ///
    /// Measured with a stream that leaves at a pace, beside one that is read: before 8.19 libcurl opens the window of the one
    /// that is paused again and again, and keeps what comes in memory (330 MiB in 8 s with 8.16, 868 MiB in 25 s with 8.14);
    /// from 8.19 to 8.23 it holds 20 MiB.
    package static var isFitForHTTP2: Bool {
        guard let info else { return false }
        return info.version_num >= 0x08_13_00 && info.features & CURL_VERSION_HTTP2 != 0
    }

    private static var info: curl_version_info_data? { curl_version_info(CURLVERSION_FIRST)?.pointee }
}
