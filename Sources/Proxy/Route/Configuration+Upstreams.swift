import Downstream
package import Settings
import Upstream

// Checks of the configured upstreams and of Redis that depend on this machine; errors are reported at their position in the file.

extension Configuration {
    /// Checks that libcurl supports what the routes require, and reads the files of authorities; blocks on the disk.
    ///
    /// libcurl reads those again for each connection, and only clients would observe that one is missing.
    ///
    /// - Parameter file: The name of the configuration file, with which errors begin.
    /// - Throws: All errors.
    package func checkUpstreams(namedIn file: String) throws(ConfigurationErrors) {
        var errors: [ConfigurationError] = []
        for route in routes {
            if let place = route.upstreamHTTP2, !LibcurlVersion.isFitForHTTP2 {
                let message =
                    "`routes.upstream_http2` needs libcurl 8.19 or newer, with HTTP/2; this is \(LibcurlVersion.name)"
                errors.append(
                    ConfigurationError(file: file, line: place.line, column: place.column, message: message))
            }
            check(route.upstreamTLS.authority, of: "upstream_tls", in: file, &errors)
        }
        check(replicas?.authority, of: "replicas", in: file, &errors)
        check(otlp?.authority, of: "otlp", in: file, &errors)
        if !errors.isEmpty { throw ConfigurationErrors(errors) }
    }

    /// Reads the file of the authorities of one mapping.
    private func check(
        _ authority: WrittenPath?, of name: String, in file: String, _ errors: inout [ConfigurationError]
    ) {
        guard let authority else { return }
        do throws(TLSFault) {
            try ServerTLS.checkAuthorities(at: authority.path)
        } catch {
            let message = "`\(name).ca_file` is \(authority.written): \(error.words)"
            errors.append(
                ConfigurationError(file: file, line: authority.line, column: authority.column, message: message))
        }
    }
}
