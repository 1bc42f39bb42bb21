import com.helger.commons.collection.impl.CommonsArrayList;
import com.helger.commons.collection.impl.ICommonsList;
import com.helger.commons.http.HttpHeaderMap;
import com.helger.commons.io.IHasInputStream;
import com.helger.commons.mime.CMimeType;
import com.helger.commons.mime.IMimeType;
import com.helger.commons.mime.MimeType;
import com.helger.phase4.attachment.AS4OutgoingAttachment;
import com.helger.phase4.attachment.EAS4CompressionMode;
import com.helger.phase4.attachment.IAS4IncomingAttachmentFactory;
import com.helger.phase4.attachment.WSS4JAttachment;
import com.helger.phase4.crypto.AS4CryptoFactoryInMemoryKeyStore;
import com.helger.phase4.crypto.ECryptoAlgorithmCrypt;
import com.helger.phase4.crypto.ECryptoAlgorithmSign;
import com.helger.phase4.crypto.ECryptoAlgorithmSignDigest;
import com.helger.phase4.crypto.ECryptoKeyEncryptionAlgorithm;
import com.helger.phase4.crypto.ECryptoKeyIdentifierType;
import com.helger.phase4.ebms3header.Ebms3Error;
import com.helger.phase4.ebms3header.Ebms3SignalMessage;
import com.helger.phase4.ebms3header.Ebms3UserMessage;
import com.helger.phase4.incoming.AS4IncomingMessageMetadata;
import com.helger.phase4.incoming.AS4IncomingProfileSelectorConstant;
import com.helger.phase4.incoming.AS4IncomingReceiverConfiguration;
import com.helger.phase4.incoming.AS4RequestHandler;
import com.helger.phase4.incoming.IAS4IncomingMessageMetadata;
import com.helger.phase4.incoming.IAS4IncomingMessageState;
import com.helger.phase4.incoming.IAS4ResponseAbstraction;
import com.helger.phase4.incoming.crypto.AS4IncomingSecurityConfiguration;
import com.helger.phase4.incoming.spi.AS4MessageProcessorResult;
import com.helger.phase4.incoming.spi.AS4SignalMessageProcessorResult;
import com.helger.phase4.incoming.spi.IAS4IncomingMessageProcessorSPI;
import com.helger.phase4.mgr.AS4ManagerFactoryInMemory;
import com.helger.phase4.mgr.MetaAS4Manager;
import com.helger.phase4.model.EMEP;
import com.helger.phase4.model.EMEPBinding;
import com.helger.phase4.model.ESoapVersion;
import com.helger.phase4.model.MessageProperty;
import com.helger.phase4.model.pmode.IPMode;
import com.helger.phase4.model.pmode.PMode;
import com.helger.phase4.model.pmode.PModeParty;
import com.helger.phase4.model.pmode.PModePayloadService;
import com.helger.phase4.model.pmode.PModeReceptionAwareness;
import com.helger.phase4.model.pmode.leg.EPModeSendReceiptReplyPattern;
import com.helger.phase4.model.pmode.leg.PModeLeg;
import com.helger.phase4.model.pmode.leg.PModeLegBusinessInformation;
import com.helger.phase4.model.pmode.leg.PModeLegErrorHandling;
import com.helger.phase4.model.pmode.leg.PModeLegProtocol;
import com.helger.phase4.model.pmode.leg.PModeLegSecurity;
import com.helger.phase4.sender.AS4Sender;
import com.helger.phase4.sender.IAS4SignalMessageValidationResultHandler;
import com.helger.phase4.wss.EWSSVersion;
import com.helger.scope.mgr.ScopeManager;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Executors;
import org.w3c.dom.Node;

/**
 * An access point of phase4's own library, for the tests of the other one. It listens on a port of
 * its own on loopback and prints it. /as4 receives; a POST to /send lets it send one message to the
 * address in the body and answers what became of it; /received lists what was received.
 *
 * Argument: a folder with own.pem (chain and PKCS#8 key), partner-sign.pem, partner-encrypt.pem and
 * ca.pem.
 */
public class Endpoint {
  static final String TYPE = "urn:oasis:names:tc:ebcore:partyid-type:unregistered:oots";
  static final String ROLE = "http://sdg.europa.eu/edelivery/gateway";
  static final String SERVICE = "QueryManager";
  static final String SERVICE_TYPE = "urn:oasis:names:tc:ebcore:ebrs:ebms:binding:1.0";
  static final String US = "AP_PT_01", THEM = "AP_FI_01";
  static final char[] PASSWORD = "test".toCharArray();

  final AS4CryptoFactoryInMemoryKeyStore crypto;
  final X509Certificate partner;
  final List<String> received = new ArrayList<>();

  Endpoint(Path folder) throws Exception {
    Certificate[] chain = certificates(folder.resolve("own.pem"));
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    keys.setKeyEntry("own", key(folder.resolve("own.pem")), PASSWORD, chain);
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("ca", certificates(folder.resolve("ca.pem"))[0]);
    trusted.setCertificateEntry("partner", certificates(folder.resolve("partner-sign.pem"))[0]);
    crypto = new AS4CryptoFactoryInMemoryKeyStore(keys, "own", PASSWORD, trusted);
    partner = (X509Certificate) certificates(folder.resolve("partner-encrypt.pem"))[0];
  }

  static Certificate[] certificates(Path file) throws Exception {
    String text = Files.readString(file);
    String only = text.replaceAll("(?s)-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----", "");
    try (InputStream in = new ByteArrayInputStream(only.strip().getBytes(StandardCharsets.US_ASCII))) {
      return CertificateFactory.getInstance("X.509").generateCertificates(in).toArray(new Certificate[0]);
    }
  }

  static PrivateKey key(Path file) throws Exception {
    String text = Files.readString(file);
    String head = "-----BEGIN PRIVATE KEY-----";
    int from = text.indexOf(head) + head.length();
    byte[] der = Base64.getMimeDecoder().decode(text.substring(from, text.indexOf("-----END PRIVATE KEY-----")));
    return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
  }

  /** The common profile of eDelivery AS4 1.15, as a P-Mode of phase4. */
  static PMode pmode(String from, String to, String action) {
    PModeLegSecurity security = new PModeLegSecurity();
    security.setWSSVersion(EWSSVersion.WSS_111);
    security.setX509SignatureAlgorithm(ECryptoAlgorithmSign.RSA_SHA_256);
    security.setX509SignatureHashFunction(ECryptoAlgorithmSignDigest.DIGEST_SHA_256);
    security.setX509EncryptionAlgorithm(ECryptoAlgorithmCrypt.AES_128_GCM);
    security.setX509EncryptionMinimumStrength(Integer.valueOf(128));
    security.setPModeAuthorize(false);
    security.setSendReceipt(true);
    security.setSendReceiptNonRepudiation(true);
    security.setSendReceiptReplyPattern(EPModeSendReceiptReplyPattern.RESPONSE);
    PModeLegErrorHandling errors = PModeLegErrorHandling.createUndefined();
    errors.setReportAsResponse(true);
    PModeLeg leg = new PModeLeg(new PModeLegProtocol("http://127.0.0.1/", ESoapVersion.SOAP_12),
        PModeLegBusinessInformation.create(SERVICE, action, null, null), errors, null, security);
    return new PMode("oots", new PModeParty(TYPE, from, ROLE, null, null), new PModeParty(TYPE, to, ROLE, null, null), "",
        EMEP.ONE_WAY, EMEPBinding.PUSH, leg, null, new PModePayloadService(EAS4CompressionMode.GZIP),
        PModeReceptionAwareness.createDefault());
  }

  /** The corner behind this access point: it notes what came. */
  class Corner implements IAS4IncomingMessageProcessorSPI {
    @Override
    public AS4MessageProcessorResult processAS4UserMessage(IAS4IncomingMessageMetadata meta, HttpHeaderMap headers, Ebms3UserMessage m,
        IPMode pmode, Node payload, ICommonsList<WSS4JAttachment> parts, IAS4IncomingMessageState state, ICommonsList<Ebms3Error> errors) {
      StringBuilder line = new StringBuilder(m.getMessageInfo().getMessageId());
      line.append(" signed=").append(state.isSoapSignatureChecked()).append(" decrypted=").append(state.isSoapDecrypted());
      try {
        for (WSS4JAttachment part : parts) {
          byte[] content = part.getSourceStream().readAllBytes();
          line.append(' ').append(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content)));
        }
      } catch (Exception ex) {
        return AS4MessageProcessorResult.createFailure();
      }
      synchronized (received) {
        received.add(line.toString());
      }
      return AS4MessageProcessorResult.createSuccess();
    }

    @Override
    public AS4SignalMessageProcessorResult processAS4SignalMessage(IAS4IncomingMessageMetadata meta, HttpHeaderMap headers,
        Ebms3SignalMessage m, IPMode pmode, IAS4IncomingMessageState state, ICommonsList<Ebms3Error> errors) {
      return AS4SignalMessageProcessorResult.createSuccess();
    }

    @Override
    public void processAS4ResponseMessage(IAS4IncomingMessageMetadata meta, IAS4IncomingMessageState state, String id, byte[] response,
        boolean available) {}
  }

  /** Lets phase4 handle one push, and answers what it says. */
  void receive(HttpExchange x) throws IOException {
    byte[][] content = {new byte[0]};
    int[] status = {200};
    HttpHeaderMap answer = new HttpHeaderMap();
    IAS4ResponseAbstraction response = new IAS4ResponseAbstraction() {
      @Override
      public void setContent(byte[] b, Charset charset) {
        content[0] = b;
      }

      @Override
      public void setContent(HttpHeaderMap headers, IHasInputStream in) {
        headers.forEachSingleHeader(answer::addHeader, true);
        try (InputStream s = in.getInputStream()) {
          content[0] = s.readAllBytes();
        } catch (IOException ex) {
          throw new IllegalStateException(ex);
        }
      }

      @Override
      public void setMimeType(IMimeType type) {
        answer.addHeader("Content-Type", type.getAsString());
      }

      @Override
      public void setStatus(int code) {
        status[0] = code;
      }
    };
    HttpHeaderMap headers = new HttpHeaderMap();
    x.getRequestHeaders().forEach((name, values) -> values.forEach(v -> headers.addHeader(name, v)));
    try (AS4RequestHandler handler = new AS4RequestHandler(AS4IncomingMessageMetadata.createForRequest())) {
      handler.setCryptoFactory(crypto);
      handler.setIncomingAttachmentFactory(IAS4IncomingAttachmentFactory.DEFAULT_INSTANCE);
      handler.setIncomingProfileSelector(new AS4IncomingProfileSelectorConstant(null, false));
      handler.setIncomingSecurityConfiguration(AS4IncomingSecurityConfiguration.createDefaultInstance());
      handler.setIncomingReceiverConfiguration(new AS4IncomingReceiverConfiguration());
      handler.setPModeResolver((id, service, action, from, to, agreement, address) -> pmode(THEM, US, action));
      handler.setProcessorSupplier(() -> new CommonsArrayList<IAS4IncomingMessageProcessorSPI>(new Corner()));
      handler.handleRequest(x.getRequestBody(), headers, response);
    } catch (Exception ex) {
      ex.printStackTrace();
      status[0] = 500;
    }
    answer.forEachSingleHeader((name, value) -> x.getResponseHeaders().add(name, value), true);
    reply(x, status[0], content[0]);
  }

  static void reply(HttpExchange x, int status, byte[] content) throws IOException {
    x.sendResponseHeaders(status, content.length == 0 ? -1 : content.length);
    x.getResponseBody().write(content);
    x.close();
  }

  /** Sends an XML document, compressed, and a file that is not, signed and encrypted. */
  String send(String url) {
    StringBuilder said = new StringBuilder();
    try {
      byte[] document = "<query:QueryRequest xmlns:query=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0\" id=\"urn:uuid:1\">Lisboa, S\u00e3o Jo\u00e3o</query:QueryRequest>"
          .getBytes(StandardCharsets.UTF_8);
      byte[] file = new byte[20_000];
      for (int i = 0; i < file.length; i++) file[i] = (byte) (i * i >> 3);
      String[] validated = {"not judged"};
      var result = AS4Sender.builderUserMessage().as4ProfileID("oots").cryptoFactory(crypto)
          .pmodeResolver((id, service, action, from, to, agreement, address) -> pmode(from, to, action))
          .incomingProfileSelector(new AS4IncomingProfileSelectorConstant(null, false)).pmode(pmode(US, THEM, "ExecuteQueryRequest"))
          .service(SERVICE_TYPE, SERVICE).action("ExecuteQueryRequest").agreementRef((String) null)
          .fromPartyIDType(TYPE).fromPartyID(US).fromRole(ROLE).toPartyIDType(TYPE).toPartyID(THEM).toRole(ROLE)
          .conversationID("11111111-2222-4333-8444-777777777777")
          .addMessageProperty(property("originalSender", "urn:oasis:names:tc:ebcore:partyid-type:unregistered:PT", "register"))
          .addMessageProperty(property("finalRecipient", "urn:oasis:names:tc:ebcore:partyid-type:unregistered:FI", "university"))
          .receiverCertificate(partner).endpointURL(url)
          .withCryptParams(p -> p.setKeyIdentifierType(ECryptoKeyIdentifierType.BST_DIRECT_REFERENCE)
              .setKeyEncAlgorithm(ECryptoKeyEncryptionAlgorithm.RSA_OAEP_XENC11)
              .setMGFAlgorithm("http://www.w3.org/2009/xmlenc11#mgf1sha256")
              .setDigestAlgorithm("http://www.w3.org/2001/04/xmlenc#sha256"))
          .withSigningParams(p -> p.setKeyIdentifierType(ECryptoKeyIdentifierType.BST_DIRECT_REFERENCE))
          .payload(AS4OutgoingAttachment.builder().data(document).mimeType(new MimeType(CMimeType.APPLICATION_XML)).compressionGZIP())
          .addAttachment(AS4OutgoingAttachment.builder().data(file).mimeType(CMimeType.APPLICATION_PDF))
          .signalMsgConsumer((signal, meta, state) -> {
            said.append(" signal-signed=").append(state.isSoapSignatureChecked());
            signal.getError().forEach(e -> said.append(" error=").append(e.getErrorCode()));
          })
          .signalMsgValidationResultHdl(new IAS4SignalMessageValidationResultHandler() {
            @Override public void onSuccess() { validated[0] = "valid"; }
            @Override public void onError(String why) { validated[0] = "invalid " + why; }
            @Override public void onNotApplicable() { validated[0] = "not applicable"; }
          })
          .sendMessageAndCheckForReceipt(ex -> {
            said.append(" exception=").append(ex);
            ex.printStackTrace();
          });
      return result + said.toString() + " references=" + validated[0] + "\n";
    } catch (Exception ex) {
      ex.printStackTrace();
      return "EXCEPTION " + ex + said + "\n";
    }
  }

  static MessageProperty property(String name, String type, String value) {
    return MessageProperty.builder().name(name).type(type).value(value).build();
  }

  public static void main(String[] args) throws Exception {
    ScopeManager.onGlobalBegin("phase4");
    MetaAS4Manager.setFactory(new AS4ManagerFactoryInMemory());
    Endpoint e = new Endpoint(Path.of(args[0]));
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/as4", e::receive);
    server.createContext("/send", x -> reply(x, 200, e.send(new String(x.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8)));
    server.createContext("/received", x -> {
      synchronized (e.received) {
        reply(x, 200, (String.join("\n", e.received) + "\n").getBytes(StandardCharsets.UTF_8));
      }
    });
    server.start();
    System.out.println("listening " + server.getAddress().getPort());
    System.in.read(); // until whoever started this is gone
    server.stop(0);
    System.exit(0);
  }
}
