extension S3Session {
    /// What a server's refusal means, and what can be done about it.
    func refusal(_ fault: S3Fault, of operation: S3Operation, to who: S3Credentials) -> ObjectStoreError {
        let (action, server) = (operation.action, address.endpoint)
        func error(_ code: ObjectStoreError.Code, _ reason: String) -> ObjectStoreError {
            ObjectStoreError(code, "cannot \(action): \(reason)")
        }
        let key = "access key '\(who.accessKeyID.visible)'"
        let hasToken = who.sessionToken != nil
        switch fault.code {
        case "NoSuchBucket":
            return error(.notFound, "\(server) has no bucket '\(address.bucket)'; create it, or name another")
        case "NoSuchKey" where operation.condition != .always, "PreconditionFailed":
            return error(.preconditionFailed, operation.unmetCondition)
        case "NoSuchUpload":
            return error(.systemError, "\(server) gave up the upload meanwhile; is there a rule that does?")
        case "NoSuchKey": return error(.notFound, "there is no such object")
        case "InvalidAccessKeyId":
            return error(
                .denied,
                "\(server) does not know the \(key); check AWS_ACCESS_KEY_ID or the credentials file"
                    + (hasToken ? "" : ", and give the session token too if the key is a temporary one"))
        case "SignatureDoesNotMatch":
            return error(
                .denied,
                "\(server) found the signature wrong: the secret key is not that of the \(key), or something "
                    + "between here and there changes requests")
        case "InvalidToken":
            return error(
                .denied,
                "\(server) found the session token not to be that of the \(key); check AWS_SESSION_TOKEN or the "
                    + "credentials file, or get new credentials")
        case "ExpiredToken", "TokenRefreshRequired":
            return error(.denied, "\(server) takes the session token of the \(key) no more; get new credentials")
        case "RequestTimeTooSkewed":
            return error(
                .denied,
                "\(server) found the request's time too far from its own, and signing with its own did not "
                    + "help; this host's clock is \(clock.secondsAhead) s ahead of it: set both by NTP")
        case "AccessDenied", "AllAccessDisabled", "AccountProblem", "NotSignedUp":
            return error(.denied, "\(server) does not let the \(key) do that (\(fault.description)); see to its policy")
        case "QuotaExceeded", "XMinioStorageFull", "StorageFull": return error(.full, "\(server): \(fault.description)")
        case "EntityTooLarge", "NotImplemented": return error(.unsupported, "\(server): \(fault.description)")
        case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException":
            return error(.invalidArgument, wrongRegion(fault))
        default: break
        }
        switch fault.status {
        case _ where fault.isThrottling:
            return error(.throttled, "\(server) asks for fewer requests (\(fault.description))")
        case 301, 302, 307, 308: return error(.invalidArgument, wrongRegion(fault))
        // An answer to HEAD tells the region alone.
        case 400 where fault.code == nil && fault.region.map({ $0 != region }) ?? false:
            return error(.invalidArgument, wrongRegion(fault))
        case 400 where fault.code == nil && hasToken, 401, 403:
            return error(
                .denied,
                "\(server) refused it (\(fault.description)): check the \(key), its secret"
                    + (hasToken ? ", its session token and its policy" : " and its policy"))
        case 404 where operation.condition != .always && fault.code == nil:
            return error(.preconditionFailed, operation.unmetCondition)
        case 404 where operation.key == nil:
            return error(.notFound, "\(server) has no bucket '\(address.bucket)', or is no S3 server")
        case 404: return error(.notFound, "there is no such object, or no bucket '\(address.bucket)' at \(server)")
        case 412: return error(.preconditionFailed, operation.unmetCondition)
        case 409: return error(.throttled, "other requests for the same object were in the way (\(fault.description))")
        case 400...499 where fault.verdict == .later:
            return error(.unreachable, "the request did not arrive whole at \(server) (\(fault.description))")
        case 501, 505: return error(.unsupported, "\(server): \(fault.description)")
        case 507: return error(.full, "\(server): \(fault.description)")
        case 500... where operation.changes:
            return ObjectStoreError(
                .ambiguous,
                "cannot tell whether the attempt to \(action) succeeded: \(server) failed (\(fault.description))")
        case 500...: return error(.unreachable, "\(server) failed (\(fault.description))")
        default: return error(.systemError, "\(server) refused it (\(fault.description))")
        }
    }

    private func wrongRegion(_ fault: S3Fault) -> String {
        guard let expected = fault.region, expected != region else {
            return "\(address.endpoint) sends elsewhere (\(fault.description)); check the endpoint and the region"
        }
        return "bucket '\(address.bucket)' belongs to the region \(expected.visible), and this asks as for \(region); "
            + "set region=\(expected.visible)"
    }
}

extension S3Operation {
    fileprivate var unmetCondition: String {
        switch condition {
        case .always: "a condition on it does not hold"
        case .absent: "there is an object of that name already"
        case .matches: "the object was changed or deleted meanwhile"
        }
    }
}
