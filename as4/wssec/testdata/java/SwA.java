// Verifies and makes signatures of AS4 user messages with attachments by the
// JDK's own javax.xml.crypto: an implementation that shares no line with ours.
// What the JDK lacks, dereferencing cid: and the attachment content transform of
// the SwA profile 1.1, is supplied here.
//
// verify ENVELOPE CERTIFICATE(DER) [CID TYPE FILE]…   one line: "valid" or
//     "invalid", then each reference
// sign ENVELOPE KEY(PKCS#8 DER) OUT [CID TYPE FILE]…  one line: "signed"
//
// Several jobs are separated by "--".

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.xml.crypto.Data;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.OctetStreamData;
import javax.xml.crypto.URIDereferencer;
import javax.xml.crypto.XMLCryptoContext;
import javax.xml.crypto.XMLStructure;
import javax.xml.crypto.dom.DOMCryptoContext;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.TransformException;
import javax.xml.crypto.dsig.TransformService;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.spec.ExcC14NParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

public class SwA {
    static final String WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    static final String WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
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
        List<String> job = new ArrayList<>();
        for (String a : args) {
            if (a.equals("--")) {
                run(job);
                job.clear();
            } else {
                job.add(a);
            }
        }
        run(job);
    }

    static void run(List<String> job) throws Exception {
        DocumentBuilderFactory f = DocumentBuilderFactory.newInstance();
        f.setNamespaceAware(true);
        f.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        Document doc = f.newDocumentBuilder().parse(Path.of(job.get(1)).toFile());
        boolean sign = job.get(0).equals("sign");
        Map<String, Attachment> attachments = new LinkedHashMap<>();
        for (int i = sign ? 4 : 3; i + 2 < job.size(); i += 3) {
            attachments.put(job.get(i), new Attachment(Files.readAllBytes(Path.of(job.get(i + 2))), job.get(i), job.get(i + 1)));
        }
        if (sign) {
            sign(doc, job.get(2), job.get(3), attachments);
        } else {
            verify(doc, job.get(2), attachments);
        }
    }

    /** Marks wsu:Id as ids and sends cid: to the attachments. */
    static void prepare(Document doc, DOMCryptoContext context, XMLSignatureFactory factory, Map<String, Attachment> attachments) {
        NodeList all = doc.getElementsByTagName("*");
        for (int i = 0; i < all.getLength(); i++) {
            Element e = (Element) all.item(i);
            if (e.hasAttributeNS(WSU, "Id")) {
                context.setIdAttributeNS(e, WSU, "Id");
            }
        }
        URIDereferencer standard = factory.getURIDereferencer();
        context.setURIDereferencer((reference, c) -> {
            Attachment a = attachments.get(reference.getURI());
            return a != null ? a : standard.dereference(reference, c);
        });
    }

    static void verify(Document doc, String certificate, Map<String, Attachment> attachments) throws Exception {
        X509Certificate cert;
        try (InputStream in = Files.newInputStream(Path.of(certificate))) {
            cert = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        NodeList signatures = doc.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
        DOMValidateContext context = new DOMValidateContext(KeySelector.singletonKeySelector(cert.getPublicKey()), signatures.item(0));
        context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.TRUE);
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        prepare(doc, context, factory, attachments);
        XMLSignature signature = factory.unmarshalXMLSignature(context);
        System.out.print(signature.validate(context) ? "valid" : "invalid");
        for (Object o : signature.getSignedInfo().getReferences()) {
            Reference r = (Reference) o;
            System.out.print(" " + r.getURI() + "=" + r.validate(context));
        }
        System.out.println();
    }

    /**
     * Signs #m, #b and each attachment into the wsse:Security of an envelope, as
     * WSS4J does it: PrefixLists of the envelope's prefixes, base64 in lines. The
     * token's id is X.
     */
    static void sign(Document doc, String key, String out, Map<String, Attachment> attachments) throws Exception {
        PrivateKey k = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(key))));
        Element security = (Element) doc.getElementsByTagNameNS(WSSE, "Security").item(0);
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        DigestMethod sha256 = factory.newDigestMethod(DigestMethod.SHA256, null);
        List<Reference> references = new ArrayList<>();
        for (String id : List.of("#m", "#b")) {
            references.add(factory.newReference(id, sha256, List.of(factory.newTransform(CanonicalizationMethod.EXCLUSIVE,
                new ExcC14NParameterSpec(List.of("soap", "ds", "xsi", "unused")))), null, null));
        }
        for (String uri : attachments.keySet()) {
            references.add(factory.newReference(uri, sha256, List.of(factory.newTransform(SWA, (TransformParameterSpec) null)), null, null));
        }
        SignedInfo info = factory.newSignedInfo(
            factory.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, new ExcC14NParameterSpec(List.of("soap", "xsi"))),
            factory.newSignatureMethod("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", null), references);
        Element str = doc.createElementNS(WSSE, "sec:SecurityTokenReference");
        Element ref = doc.createElementNS(WSSE, "sec:Reference");
        ref.setAttribute("URI", "#X");
        str.appendChild(ref);
        KeyInfo keyInfo = factory.getKeyInfoFactory().newKeyInfo(List.of(new DOMStructure(str)));
        DOMSignContext context = new DOMSignContext(k, security);
        context.setDefaultNamespacePrefix("ds");
        prepare(doc, context, factory, attachments);
        factory.newXMLSignature(info, keyInfo).sign(context);
        try (var stream = Files.newOutputStream(Path.of(out))) {
            TransformerFactory.newInstance().newTransformer().transform(new DOMSource(doc), new StreamResult(stream));
        }
        System.out.println("signed");
    }
}
