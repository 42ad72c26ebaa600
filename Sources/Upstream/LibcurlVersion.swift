import CCurl

/// libcurl's name and version as this process has loaded it, such as `libcurl/8.14.1`.
package func libcurlVersion() -> String {
    guard let info = curl_version_info(CURLVERSION_FIRST), let version = info.pointee.version else { return "libcurl" }
    return "libcurl/" + String(cString: version)
}
