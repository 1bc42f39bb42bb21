// Package as4 is an access point: it sends and receives AS4 messages for the
// corners behind it, signed, encrypted and receipted, never loses one and never
// delivers one twice.
//
// It implements eDelivery AS4 1.15, Common Profile with the Four Corner
// enhancement, as TDD 4.7 configures it. The header is package ebms, message
// security is package wssec, certificates are package pki. It reads no payload.
package as4
