/// One of the addresses of `listen`.
package struct PublicListener: Equatable, Sendable {
    /// Where every request is redirected.
    package enum Redirect: Equatable, Sendable {
        /// To the port of the first address with TLS.
        case secureAddress
        /// To another port, which is mapped to that one.
        case port(Int)
    }

    package var address: ListenAddress
    /// Whether its connections have TLS, if the configuration has `tls`.
    package var usesTLS = true
    /// `nil` if requests are served; else the address has no TLS.
    package var redirect: Redirect?

    package init(_ address: ListenAddress) { self.address = address }
}

extension Configuration {
    /// The port of the `https:` URLs to which a listener redirects requests; `nil` if it serves them.
    package func redirectPort(of listener: PublicListener) -> Int? {
        switch listener.redirect {
        case nil: return nil
        case .port(let port): return port
        case .secureAddress:
            guard case .ip(_, let port)? = listen.first(where: \.usesTLS)?.address, port != 0 else { return 443 }
            return port
        }
    }
}

extension Form where Value == PublicListener.Redirect? {
    static var redirect: Form {
        Form(
            allowed: "`true`, `false`, or a port from 1 to 65535", .flagOrPort,
            text: {
                switch $0 {
                case nil: "false"
                case .secureAddress: "true"
                case .port(let port): String(port)
                }
            }
        ) { text in
            if let isOn = try? Form<Bool>.flag.read(text) { return .some(isOn ? .secureAddress : nil) }
            return Int(wholeNumber: text).flatMap { (1...65535).contains($0) ? .some(.port($0)) : nil }
        }
    }
}
