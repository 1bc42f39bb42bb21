// Opens and makes the encryption of AS4 messages with Apache Santuario, the
// library inside WSS4J and so inside Domibus and phase4.
//
// open ENVELOPE KEY(PKCS#8 DER) [FILE OUT]…   unwraps the EncryptedKey of the
//     envelope, then decrypts each part
// wrap CERTIFICATE(DER) OUT [FILE OUT]…       writes an xenc:EncryptedKey for the
//     certificate, then encrypts each file with its key

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.xml.security.Init;
import org.apache.xml.security.encryption.EncryptedKey;
import org.apache.xml.security.encryption.XMLCipher;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

public class Santuario {
    static final String XENC = "http://www.w3.org/2001/04/xmlenc#";
    static final String GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
    static final String OAEP = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
    static final String MGF = "http://www.w3.org/2009/xmlenc11#mgf1sha256";
    static final String SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";

    public static void main(String[] args) throws Exception {
        Init.init();
        DocumentBuilderFactory f = DocumentBuilderFactory.newInstance();
        f.setNamespaceAware(true);
        if (args[0].equals("open")) {
            Document doc = f.newDocumentBuilder().parse(Path.of(args[1]).toFile());
            PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(args[2]))));
            XMLCipher cipher = XMLCipher.getInstance();
            cipher.init(XMLCipher.UNWRAP_MODE, key);
            EncryptedKey ek = cipher.loadEncryptedKey(doc, (Element) doc.getElementsByTagNameNS(XENC, "EncryptedKey").item(0));
            Key secret = cipher.decryptKey(ek, GCM);
            for (int i = 3; i + 1 < args.length; i += 2) {
                byte[] in = Files.readAllBytes(Path.of(args[i]));
                Cipher gcm = Cipher.getInstance("AES/GCM/NoPadding");
                gcm.init(Cipher.DECRYPT_MODE, new SecretKeySpec(secret.getEncoded(), "AES"), new GCMParameterSpec(128, in, 0, 12));
                Files.write(Path.of(args[i + 1]), gcm.doFinal(in, 12, in.length - 12));
            }
            System.out.println("unwrapped " + secret.getEncoded().length);
            return;
        }
        X509Certificate cert;
        try (InputStream in = Files.newInputStream(Path.of(args[1]))) {
            cert = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        KeyGenerator generator = KeyGenerator.getInstance("AES");
        generator.init(128);
        SecretKey secret = generator.generateKey();
        Document doc = f.newDocumentBuilder().newDocument();
        XMLCipher cipher = XMLCipher.getInstance(OAEP, null, SHA256);
        cipher.init(XMLCipher.WRAP_MODE, cert.getPublicKey());
        EncryptedKey ek = cipher.encryptKey(doc, secret, MGF, null);
        Transformer t = TransformerFactory.newInstance().newTransformer();
        t.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        try (var out = Files.newOutputStream(Path.of(args[2]))) {
            t.transform(new DOMSource(cipher.martial(doc, ek)), new StreamResult(out));
        }
        for (int i = 3; i + 1 < args.length; i += 2) {
            byte[] iv = new byte[12];
            new SecureRandom().nextBytes(iv);
            Cipher gcm = Cipher.getInstance("AES/GCM/NoPadding");
            gcm.init(Cipher.ENCRYPT_MODE, secret, new GCMParameterSpec(128, iv));
            byte[] body = gcm.doFinal(Files.readAllBytes(Path.of(args[i])));
            byte[] all = Arrays.copyOf(iv, 12 + body.length);
            System.arraycopy(body, 0, all, 12, body.length);
            Files.write(Path.of(args[i + 1]), all);
        }
        System.out.println("wrapped");
    }
}
