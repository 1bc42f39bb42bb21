// Verifies the signature of an AS4 user message with attachments by the JDK's
// own javax.xml.crypto: an implementation that shares no line with ours. What
// the JDK lacks, dereferencing cid: and the attachment content transform of the
// SwA profile 1.1, is supplied here.
//
// Arguments: envelope, certificate (DER), then for each attachment its cid: URI,
// its media type and its file. Prints "valid" or "invalid" and a line for each
// reference.

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Provider;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.AlgorithmParameterSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.xml.crypto.Data;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.OctetStreamData;
import javax.xml.crypto.URIDereferencer;
import javax.xml.crypto.XMLCryptoContext;
import javax.xml.crypto.XMLStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.TransformException;
import javax.xml.crypto.dsig.TransformService;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

public class VerifySwA {
    static final String WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    static final String SWA = "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Signature-Transform";

    static final class Attachment extends OctetStreamData {
        final String type;

        Attachment(byte[] octets, String uri, String type) {
            super(new ByteArrayInputStream(octets), uri, type);
            this.type = type.replaceAll(";.*", "").trim().toLowerCase();
        }
    }

    public static final class ContentTransform extends TransformService {
        @Override public AlgorithmParameterSpec getParameterSpec() { return null; }
        @Override public void init(TransformParameterSpec params) { }
        @Override public void init(XMLStructure parent, XMLCryptoContext context) { }
        @Override public void marshalParams(XMLStructure parent, XMLCryptoContext context) { }
        @Override public boolean isFeatureSupported(String feature) { return false; }

        @Override public Data transform(Data data, XMLCryptoContext context) throws TransformException {
            return transform(data, context, null);
        }

        @Override public Data transform(Data data, XMLCryptoContext context, OutputStream os) throws TransformException {
            try {
                Attachment a = (Attachment) data;
                if (a.type.equals("text/xml") || a.type.equals("application/xml")
                        || (a.type.startsWith("application/") || a.type.startsWith("image/")) && a.type.endsWith("+xml")) {
                    TransformService c14n = TransformService.getInstance(CanonicalizationMethod.EXCLUSIVE, "DOM");
                    c14n.init((TransformParameterSpec) null);
                    return c14n.transform(new OctetStreamData(a.getOctetStream()), context);
                }
                if (a.type.startsWith("text/")) {
                    String text = new String(a.getOctetStream().readAllBytes(), "ISO-8859-1");
                    text = text.replaceAll("\r\n|\r|\n", "\r\n");
                    return new OctetStreamData(new ByteArrayInputStream(text.getBytes("ISO-8859-1")));
                }
                return a;
            } catch (Exception e) {
                throw new TransformException(e);
            }
        }
    }

    static final class Transforms extends Provider {
        Transforms() {
            super("SwA", "1", "attachment transforms");
            putService(new Service(this, "TransformService", SWA, ContentTransform.class.getName(), List.of(), Map.of("MechanismType", "DOM")) {
                @Override public Object newInstance(Object parameter) { return new ContentTransform(); }
            });
        }
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new Transforms());
        DocumentBuilderFactory f = DocumentBuilderFactory.newInstance();
        f.setNamespaceAware(true);
        f.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        Document doc = f.newDocumentBuilder().parse(Path.of(args[0]).toFile());
        X509Certificate cert;
        try (InputStream in = Files.newInputStream(Path.of(args[1]))) {
            cert = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        Map<String, Attachment> attachments = new HashMap<>();
        for (int i = 2; i + 2 < args.length; i += 3) {
            attachments.put(args[i], new Attachment(Files.readAllBytes(Path.of(args[i + 2])), args[i], args[i + 1]));
        }
        NodeList signatures = doc.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
        DOMValidateContext context = new DOMValidateContext(KeySelector.singletonKeySelector(cert.getPublicKey()), signatures.item(0));
        context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.TRUE);
        NodeList all = doc.getElementsByTagName("*");
        for (int i = 0; i < all.getLength(); i++) {
            Element e = (Element) all.item(i);
            if (e.hasAttributeNS(WSU, "Id")) {
                context.setIdAttributeNS(e, WSU, "Id");
            }
        }
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        URIDereferencer standard = factory.getURIDereferencer();
        context.setURIDereferencer((reference, c) -> {
            Attachment a = attachments.get(reference.getURI());
            return a != null ? a : standard.dereference(reference, c);
        });
        XMLSignature signature = factory.unmarshalXMLSignature(context);
        boolean valid = signature.validate(context);
        System.out.println(valid ? "valid" : "invalid");
        System.out.println("signature value " + signature.getSignatureValue().validate(context));
        for (Object o : signature.getSignedInfo().getReferences()) {
            Reference r = (Reference) o;
            System.out.println(r.getURI() + " " + r.validate(context));
        }
    }
}
