import Flow

// TLS of the public listeners. The content of the files is not checked here: that takes a TLS library and the disk.

extension Schema {
    /// The keys of an item of `listen` that is a mapping.
    static var listenerKeys: [Key<PublicListener>] {
        [
            Key("address", .listenAddress, \.address).required,
            Key("tls", .flag, \.usesTLS),
            Key(name: "redirect") { setting, listener in
                if let redirect = setting.value(.redirect) { listener.redirect = redirect }
            },
        ]
    }

    /// An address, or a mapping; `nil` after an error was reported.
    static func listener(_ item: Setting) -> PublicListener? {
        guard item.isMapping else {
            return item.value(.listenAddress, or: Setting.mapping(of: listenerKeys)).map { PublicListener($0) }
        }
        let errors = item.reading.errors.count
        var listener = PublicListener(.ip(host: "", port: 0))
        item.read(listenerKeys, into: &listener)
        if listener.redirect != nil {
            if listener.usesTLS, let tls = item["tls"] { tls.report("is \(tls.description); allowed: without `redirect`") }
            listener.usesTLS = false
        }
        return errors == item.reading.errors.count ? listener : nil
    }

    /// Reports keys of `listen` that require `tls`, and `tls` without an address that uses it, if there is no other error.
    static func checkTLS(of configuration: Configuration, in setting: Setting) {
        guard setting.reading.errors.isEmpty, let written = setting["listen"] else { return }
        guard configuration.tls == nil else {
            if !configuration.listen.contains(where: \.usesTLS) {
                setting["tls"]?.report("has no effect: no address of `listen` has TLS; allowed: with one that has")
            }
            return
        }
        for item in written.items {
            for key in [item["tls"], item["redirect"]] where key?.isOff == false {
                key?.report("has no effect here; allowed: with `tls` at the top level")
            }
        }
    }

    /// The keys of an item of `certificates`.
    static var certificateKeys: [Key<Configuration.TLS.Certificate>] {
        [
            Key(name: "certificate") { setting, pair in
                if let file = writtenPath(in: setting) { pair.certificate = file }
            }.required,
            Key(name: "key") { setting, pair in
                if let file = writtenPath(in: setting) { pair.key = file }
            }.required,
        ]
    }

    private static var certificates: Key<Configuration.TLS> {
        Key(name: "certificates") { setting, tls in
            for item in setting.items {
                var pair = Configuration.TLS.Certificate.blank
                item.read(certificateKeys, into: &pair)
                tls.certificates.append(pair)
            }
        }
    }

    static var tlsKeys: [Key<Configuration.TLS>] {
        [
            Key(name: "certificate") { setting, tls in
                if let file = writtenPath(in: setting) { tls.certificate = file }
            }.required,
            Key(name: "key") { setting, tls in
                if let file = writtenPath(in: setting) { tls.key = file }
            }.required,
            certificates,
            Key(name: "client_ca") { setting, tls in
                tls.clientAuthority = writtenPath(in: setting, orOff: true)
            },
            Key("client_certificates", .word(), \.clientCertificates),
            Key("minimum_version", .word(), \.minimumVersion),
        ]
    }

    static var tls: Key<Configuration> {
        Key(name: "tls") { setting, configuration in
            guard !setting.isOff else { return configuration.tls = nil }
            let errors = setting.reading.errors.count
            var tls = Configuration.TLS.blank
            setting.read(tlsKeys, into: &tls, or: Off.allowed)
            guard errors == setting.reading.errors.count else { return }
            configuration.tls = tls
            var seen: Set<String> = [tls.certificate.path]
            for (pair, item) in zip(tls.certificates, setting["certificates"]?.items ?? [])
            where !seen.insert(pair.certificate.path).inserted {
                item["certificate"]?.report("is \(pair.certificate.written): it is listed twice")
            }
            if tls.clientAuthority == nil, let written = setting["client_certificates"] {
                written.report("has no effect here; allowed: with `client_ca`")
            }
        }
    }

    /// Reports routes that identify clients by certificates that weir does not request, if there is no other error.
    static func checkClientKeys(of configuration: Configuration, in setting: Setting) {
        guard setting.reading.errors.isEmpty, configuration.tls?.clientAuthority == nil,
            let items = setting["routes"]?.items
        else { return }
        for (route, item) in zip(configuration.routes, items) where route.clientKey == .certificate {
            item["client_key"]?.report(
                "is `certificate`, and client certificates are not requested; allowed: with `tls.client_ca`")
        }
    }

    static func writtenPath(in setting: Setting, orOff: Bool = false) -> WrittenPath? {
        let path = orOff ? setting.value(Form.filePath.or(Off.words)) ?? nil : setting.value(.filePath)
        let position = setting.position
        return path.map {
            WrittenPath(path: $0, written: setting.description, line: position.line, column: position.column)
        }
    }
}

extension Configuration.TLS.Certificate {
    /// The initial value; both files are required, so an error was reported if one of these remains.
    fileprivate static var blank: Configuration.TLS.Certificate {
        let nowhere = WrittenPath(path: "", written: "", line: 1, column: 1)
        return Configuration.TLS.Certificate(certificate: nowhere, key: nowhere)
    }
}

extension Configuration.TLS {
    /// The initial value; both files are required, so an error was reported if one of these remains.
    fileprivate static var blank: Configuration.TLS {
        let nowhere = WrittenPath(path: "", written: "", line: 1, column: 1)
        return Configuration.TLS(certificate: nowhere, key: nowhere)
    }
}
