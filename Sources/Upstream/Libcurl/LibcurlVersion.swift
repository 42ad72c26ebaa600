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

    /// The oldest that weir runs on: on earlier ones, state of one request reached the next (CHANGELOG.md).
    private static let minimum: UInt32 = 0x08_0E_00

    /// Why weir does not run on the libcurl that is loaded; `nil` if it does.
    package static var refusal: String? { refusal(of: info?.version_num ?? 0, name: name) }

    /// - Parameters:
    ///   - number: As `curl_version_info_data.version_num` has it: `0x080E01` for 8.14.1.
    ///   - name: What to call it in the message.
    /// - Returns: The same as ``refusal``.
    static func refusal(of number: UInt32, name: String) -> String? {
        guard number < minimum else { return nil }
        return
            "libcurl 8.14 or newer is needed, and this is \(name); on Debian 12 install libcurl4 from bookworm-backports, "
            + "as docs/OPERATION.md describes"
    }

    private static var info: curl_version_info_data? { curl_version_info(CURLVERSION_FIRST)?.pointee }
}
